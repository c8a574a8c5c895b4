package apivalidate

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/strake-dev/strake/tools/internal/cache"
)

func TestNearest(t *testing.T) {
	minors := []string{"1.34", "1.36"}
	for release, want := range map[string]string{
		"1.20.1": "1.34", "1.34.4": "1.34", "v1.34.10": "1.34", "1.35.0": "1.34", "1.36.3": "1.36", "1.40": "1.36",
	} {
		got, err := nearest(minors, release)
		require.NoError(t, err)
		require.Equal(t, want, got, release)
	}
	_, err := nearest(minors, "latest")
	require.ErrorContains(t, err, `"latest" is not a version of Kubernetes`)
}

// TestModules: each is that of the minor version in its name, and has the checksums.
func TestModules(t *testing.T) {
	require.NotEmpty(t, Minors())
	for _, minor := range Minors() {
		files, err := filesOf(minor)
		require.NoError(t, err)
		require.Contains(t, files, "main.go")
		require.NotContains(t, files, "main_test.go")
		mod, err := modfile.Parse(minor, files["go.mod"], nil)
		require.NoError(t, err)
		patch := ""
		for _, r := range mod.Require {
			if r.Mod.Path == "k8s.io/kubernetes" {
				patch = strings.TrimPrefix(r.Mod.Version, "v1.")
				require.Contains(t, string(files["go.sum"]), "k8s.io/kubernetes "+r.Mod.Version+" h1:")
			}
		}
		require.True(t, strings.HasPrefix("1."+patch, minor+"."), patch)
		for _, r := range mod.Replace {
			require.Equal(t, "v0."+patch, r.New.Version, r.Old.Path)
		}
	}
}

func TestWithoutGo(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	t.Setenv("PATH", "")
	t.Setenv("KO_GO_PATH", "")
	_, err := New(t.Context(), "1.34.4")
	require.ErrorContains(t, err, "compiling the validation of Kubernetes 1.34, which requires the go command and access to the Go module proxy: ")
	require.ErrorContains(t, err, "install Go from https://go.dev/dl/")
}

// TestWithoutProxy: what the go command says is in the error.
func TestWithoutProxy(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	file := filepath.Join(t.TempDir(), "go")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\ntest \"$1\" = env && exec echo go1.26.8\necho dial tcp: no route to host >&2; exit 1\n"), 0o755))
	t.Setenv("KO_GO_PATH", file)
	_, err := New(t.Context(), "1.34.4")
	require.ErrorContains(t, err, "access to the Go module proxy: running go build: exit status 1: dial tcp: no route to host")
}

func TestKey(t *testing.T) {
	files := map[string][]byte{"main.go": []byte("a"), "go.mod": []byte("b")}
	first := key(files, "go1")
	require.NotEqual(t, first, key(files, "go2"))
	files["go.mod"] = []byte("c")
	require.NotEqual(t, first, key(files, "go1"))
}

// TestPrograms: whatever a program says, what it found is an answer or an error.
func TestPrograms(t *testing.T) {
	for script, want := range map[string]string{
		`cat >/dev/null; echo '{"findings":[{"object":0,"field":"spec","message":"wrong"}]}'`: "",
		`echo broken >&2; exit 1`:    "validating by the rules of Kubernetes 1.34: broken",
		`cat >/dev/null; echo a`:     "validating by the rules of Kubernetes 1.34: reading what the program found: invalid character",
		`cat >/dev/null`:             "reading what the program found: EOF",
		`while :; do echo '['; done`: "reading what the program found: ",
	} {
		file := filepath.Join(t.TempDir(), "program")
		require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		result, err := (&Validator{Minor: "1.34", file: file}).Validate(t.Context(), nil, nil)
		if want != "" {
			require.ErrorContains(t, err, want, script)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "spec: wrong", result.Findings[0].String())
	}
}

func TestContextEndsIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&Validator{Minor: "1.34", file: file}).Validate(ctx, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
}
