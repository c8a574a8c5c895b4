package gotool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/gotool"
)

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"go": 0o755, "other": 0o755, "text": 0o644} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode))
	}
	tests := map[string]struct{ path, named, want, err string }{
		"on PATH":            {path: dir, want: filepath.Join(dir, "go")},
		"no PATH":            {err: "install Go from https://go.dev/dl/"},
		"not on PATH":        {path: t.TempDir(), err: "not on PATH"},
		"named":              {named: filepath.Join(dir, "other"), want: filepath.Join(dir, "other")},
		"named, gone":        {path: dir, named: filepath.Join(dir, "gone"), err: "KO_GO_PATH names a go command that cannot be run"},
		"named, not program": {path: dir, named: filepath.Join(dir, "text"), err: "correct or unset it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", test.path)
			t.Setenv(gotool.EnvPath, test.named)
			cmd, err := gotool.Command(t.Context(), "version")
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []string{test.want, "version"}, cmd.Args)
		})
	}
}
