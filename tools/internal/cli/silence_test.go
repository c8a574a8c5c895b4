package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// TestLibrariesAreSilent renders a kustomization with a deprecated field, of which
// kustomize warns on stderr.
func TestLibrariesAreSilent(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kustomization.yaml": "resources: [map.yaml]\ncommonLabels: {app: boat}\n",
		"map.yaml":           "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: boat}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	render := func() {
		_, err := manifest.Render(t.Context(), dir, []catalog.Manifest{{Kind: catalog.Kustomize, Path: "."}})
		require.NoError(t, err)
	}
	require.Contains(t, stderrOf(t, render), "deprecated", "otherwise this test says nothing")
	require.Empty(t, stderrOf(t, func() {
		defer silenceLibraries()()
		render()
	}))
	require.Equal(t, "back\n", stderrOf(t, func() {
		silenceLibraries()()
		fmt.Fprintln(os.Stderr, "back")
	}))
}

// stderrOf is what f writes to os.Stderr.
func stderrOf(t *testing.T, f func()) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stderr")
	w, err := os.Create(file)
	require.NoError(t, err)
	defer w.Close()
	stderr := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	f()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
