package gotool_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

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

func TestCommandEndsWithoutItsChildren(t *testing.T) {
	script := filepath.Join(t.TempDir(), "go")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nsleep 30 &\necho started\nwait\n"), 0o755))
	t.Setenv(gotool.EnvPath, script)
	ctx, cancel := context.WithCancel(t.Context())
	cmd, err := gotool.Command(ctx, "build")
	require.NoError(t, err)
	cmd.Stdout = cancelWriter(cancel) // not a file: Run waits until the output ends
	begin := time.Now()
	require.Error(t, cmd.Run())
	require.Less(t, time.Since(begin), 25*time.Second, "the script's child keeps the output open for 30 s")
}

// cancelWriter cancels at the first output.
type cancelWriter func()

func (c cancelWriter) Write(p []byte) (int, error) {
	c()
	return len(p), nil
}
