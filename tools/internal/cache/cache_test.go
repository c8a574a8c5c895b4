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
	t.Run("relative to the current folder", func(t *testing.T) {
		here := t.TempDir()
		t.Chdir(here)
		t.Setenv(cache.EnvDir, ".cache")
		dir, err := cache.Dir("images")
		require.NoError(t, err)
		require.Equal(t, filepath.Join(here, ".cache", "images"), dir)
	})
	t.Run("with a tilde", func(t *testing.T) {
		t.Setenv(cache.EnvDir, "~/cache")
		_, err := cache.Dir()
		require.ErrorContains(t, err, "set it to an absolute path")
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

// use is cache.Use of the entry kind/key, whose one file it returns.
func use(ctx context.Context, produce func(dir string) error) (string, error) {
	return cache.Use(ctx, "kind", "key", produce, func(e *cache.Entry) (string, error) {
		content, err := e.ReadFile("file")
		return string(content), err
	})
}

func TestEntryIsMadeOnce(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	var made atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			content, err := use(t.Context(), func(dir string) error {
				made.Add(1)
				time.Sleep(50 * time.Millisecond)
				return write("once")(dir)
			})
			if err != nil || content != "once" {
				t.Errorf("read %q: %v", content, err)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, made.Load())
}

func TestFailedMakeLeavesNothing(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	broken := errors.New("broken")
	_, err := use(t.Context(), func(dir string) error {
		return errors.Join(write("half")(dir), broken)
	})
	require.ErrorIs(t, err, broken)

	content, err := use(t.Context(), write("whole"))
	require.NoError(t, err)
	require.Equal(t, "whole", content)
}

func TestRestOfAKilledRunIsCleared(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	rest := filepath.Join(root, "kind", "key.part")
	require.NoError(t, os.MkdirAll(rest, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(rest, "old"), []byte("half"), 0o600))

	_, err := use(t.Context(), write("whole"))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(root, "kind", "key", "old"))
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
	_, err = use(ctx, write("never"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestShared(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	one, err := cache.Share(t.Context(), "kind", "key")
	require.NoError(t, err)
	two, err := cache.Share(t.Context(), "kind", "key")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(one.Dir, "file"), []byte("text"), 0o600))
	require.Equal(t, one.Dir, two.Dir)

	stored, err := cache.List("kind")
	require.NoError(t, err)
	require.Len(t, stored, 1)
	require.EqualValues(t, 4, stored[0].Size)
	require.False(t, stored[0].Entry, "it is nothing to rely on")
	require.NoError(t, stored[0].Verify(nil))
	removed, err := stored[0].Remove()
	require.NoError(t, err)
	require.False(t, removed, "it is in use")

	last := func(string) error { t.Error("the other run uses it"); return nil }
	require.NoError(t, one.Release(last))
	called := ""
	require.NoError(t, two.Release(func(dir string) error {
		called = dir
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := cache.Share(ctx, "kind", "key")
		require.ErrorIs(t, err, context.DeadlineExceeded, "it waits")
		return nil
	}))
	require.Equal(t, one.Dir, called)

	removed, err = stored[0].Remove()
	require.NoError(t, err)
	require.True(t, removed)
	require.NoDirExists(t, one.Dir)
	again, err := cache.Share(t.Context(), "kind", "key")
	require.NoError(t, err)
	require.DirExists(t, again.Dir)
	require.NoError(t, again.Release(nil))
}
