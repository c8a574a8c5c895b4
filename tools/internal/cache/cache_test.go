package cache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
)

func TestDir(t *testing.T) {
	t.Run("from the environment", func(t *testing.T) {
		t.Setenv(cache.EnvDir, "/somewhere")
		dir, err := cache.Dir("images", "x")
		require.NoError(t, err)
		require.Equal(t, filepath.FromSlash("/somewhere/images/x"), dir)
	})
	t.Run("the user's", func(t *testing.T) {
		t.Setenv(cache.EnvDir, "")
		t.Setenv("XDG_CACHE_HOME", "/home/someone/.cache")
		dir, err := cache.Dir()
		require.NoError(t, err)
		require.Equal(t, filepath.FromSlash("/home/someone/.cache/strake"), dir)
	})
	t.Run("none at all", func(t *testing.T) {
		t.Setenv(cache.EnvDir, "")
		t.Setenv("XDG_CACHE_HOME", "")
		t.Setenv("HOME", "")
		_, err := cache.Dir()
		require.ErrorContains(t, err, cache.EnvDir)
	})
}

func write(content string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o600) }
}

func read(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "file"))
	require.NoError(t, err)
	return string(content)
}

func TestFolderIsMadeOnce(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	var made atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dir, err := cache.Folder(t.Context(), "kind", "key", func(dir string) error {
				made.Add(1)
				time.Sleep(50 * time.Millisecond)
				return write("once")(dir)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
				t.Error("a run saw the folder before it was whole:", err)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, made.Load())
}

func TestFailedMakeLeavesNothing(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	broken := errors.New("broken")
	_, err := cache.Folder(t.Context(), "kind", "key", func(dir string) error {
		return errors.Join(write("half")(dir), broken)
	})
	require.ErrorIs(t, err, broken)

	dir, err := cache.Folder(t.Context(), "kind", "key", write("whole"))
	require.NoError(t, err)
	require.Equal(t, "whole", read(t, dir))
}

func TestRestOfAKilledRunIsCleared(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	rest := filepath.Join(root, "kind", "key.part")
	require.NoError(t, os.MkdirAll(rest, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(rest, "old"), []byte("half"), 0o600))

	dir, err := cache.Folder(t.Context(), "kind", "key", write("whole"))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "old"))
	require.NoDirExists(t, rest)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	unlock, err := cache.Lock(t.Context(), filepath.Join(root, "kind", "key.lock"))
	require.NoError(t, err)
	defer unlock()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = cache.Folder(ctx, "kind", "key", write("never"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
