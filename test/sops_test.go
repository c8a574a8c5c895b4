package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ageKey is for whom SOPS encrypts, and what decrypts.
type ageKey struct{ recipient, identity string }

func newAgeKey(t *testing.T) ageKey {
	t.Helper()
	identity := sopsTool(t, "age-keygen")
	_, rest, found := strings.Cut(identity, "# public key: ")
	require.True(t, found, "age-keygen names no public key")
	recipient, _, _ := strings.Cut(rest, "\n")
	return ageKey{recipient, identity}
}

// encrypt is the manifest of a Secret with its data encrypted, and nothing else.
func (k ageKey) encrypt(t *testing.T, manifest string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret.sops.yaml")
	require.NoError(t, os.WriteFile(file, []byte(manifest), 0o600))
	return sopsTool(t, "sops", "encrypt", "--age", k.recipient, "--encrypted-regex", "^(data|stringData)$", file)
}

// sopsTool runs what people encrypt with, of the version that sops.mod locks.
func sopsTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=sops.mod", name}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s: %s", name, &stderr)
	return stdout.String()
}
