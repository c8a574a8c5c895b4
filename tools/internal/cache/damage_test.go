package cache_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// steps records what a person is told.
type steps struct {
	progress.Reporter
	sync.Mutex
	lines []string
}

func (s *steps) Step(format string, args ...any) {
	s.Lock()
	defer s.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// writeAll makes an entry with two files and a link.
func writeAll(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "below"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "below", "file"), []byte("content"), 0o644); err != nil {
		return err
	}
	if err := os.Symlink("below/file", filepath.Join(dir, "link")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "empty"), nil, 0o644)
}

// damages are what disks and people do to a file of an entry.
func damages() map[string]func(file string) error {
	return map[string]func(file string) error{
		"empty":     func(file string) error { return os.Truncate(file, 0) },
		"gone":      os.Remove,
		"folder":    func(file string) error { _ = os.Remove(file); return os.Mkdir(file, 0o755) },
		"dangling":  func(file string) error { _ = os.Remove(file); return os.Symlink("nowhere", file) },
		"pipe":      func(file string) error { _ = os.Remove(file); return syscall.Mkfifo(file, 0o644) },
		"truncated": func(file string) error { return os.Truncate(file, 3) },
		"longer": func(file string) error {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return rewrite(file, append(content, 'x'))
		},
		"bit flip": func(file string) error {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			content[len(content)/2] ^= 1
			return rewrite(file, content)
		},
		"neighbor": func(file string) error { return os.WriteFile(file+".orig", nil, 0o644) },
	}
}

func rewrite(file string, content []byte) error {
	if err := os.Remove(file); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

func TestDamagedEntryIsMadeAgain(t *testing.T) {
	for name, harm := range damages() {
		for _, file := range []string{"below/file", ".strake-sums.json"} {
			t.Run(name+" "+file, func(t *testing.T) {
				if name == "pipe" && file != "below/file" {
					t.Skip("SKIPPED: reading a pipe waits for a writer, so this damage cannot be tried here")
				}
				root := t.TempDir()
				t.Setenv(cache.EnvDir, root)
				whole(t.Context(), t)
				require.NoError(t, harm(filepath.Join(root, "kind", "key", file)))
				requireMadeAgain(t)
			})
		}
	}
}

func TestEntryThatIsNoFolderIsMadeAgain(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"a file":   func(dir string) error { return os.WriteFile(dir, nil, 0o644) },
		"a link":   func(dir string) error { return os.Symlink(filepath.Join(dir, "..", "other"), dir) },
		"dangling": func(dir string) error { return os.Symlink("nowhere", dir) },
		"empty":    func(dir string) error { return os.Mkdir(dir, 0o755) },
		"of others": func(dir string) error {
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(dir, "..", "other"))); err != nil {
				return err
			}
			sums := filepath.Join(dir, ".strake-sums.json")
			content, err := os.ReadFile(sums)
			if err != nil {
				return err
			}
			return rewrite(sums, bytes.ReplaceAll(content, []byte("kind/key"), []byte("kind/other")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			t.Setenv(cache.EnvDir, root)
			dir := filepath.Join(root, "kind", "key")
			whole(t.Context(), t)
			require.NoError(t, os.Rename(dir, filepath.Join(root, "kind", "other")))
			require.NoError(t, harm(dir))
			requireMadeAgain(t)
			require.FileExists(t, filepath.Join(root, "kind", "other", "below", "file"), "a link leads to it")
		})
	}
}

// whole uses kind/key, and returns how often it was made.
func whole(ctx context.Context, t *testing.T) (made int) {
	t.Helper()
	dir, err := cache.Use(ctx, "kind", "key", func(dir string) error { made++; return writeAll(dir) }, (*cache.Entry).Whole)
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(dir, "link"))
	require.NoError(t, err)
	require.Equal(t, "content", string(content))
	return made
}

func requireMadeAgain(t *testing.T) {
	t.Helper()
	said := &steps{}
	require.Equal(t, 1, whole(progress.With(t.Context(), said), t))
	require.Len(t, said.lines, 1)
	require.Contains(t, said.lines[0], "the cache entry kind/key is damaged and will be made again: ")
	require.Zero(t, whole(progress.With(t.Context(), said), t), "it is whole now")
	require.Len(t, said.lines, 1)
}

func TestReadFileChecksWhatItReads(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	read := func() (made int) {
		content, err := cache.Use(t.Context(), "kind", "key", func(dir string) error { made++; return writeAll(dir) },
			func(e *cache.Entry) (string, error) {
				content, err := e.ReadFile("below/file")
				return string(content), err
			})
		require.NoError(t, err)
		require.Equal(t, "content", content)
		return made
	}
	require.Equal(t, 1, read())
	require.NoError(t, os.WriteFile(filepath.Join(root, "kind", "key", "below", "file"), []byte("cOntent"), 0o644))
	require.Equal(t, 1, read())
	require.NoError(t, os.Remove(filepath.Join(root, "kind", "key", "empty")))
	require.Zero(t, read(), "other files are not looked at")
}

func TestDamageOfWhatWasJustMadeIsAnError(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	made := 0
	_, err := cache.Use(t.Context(), "kind", "key", func(string) error { made++; return nil },
		func(e *cache.Entry) ([]byte, error) { return e.ReadFile("file") })
	require.ErrorContains(t, err, "right after it was made")
	require.Equal(t, 1, made)
}

func TestPassingErrorsAreNoDamage(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	whole(t.Context(), t)
	_, err := cache.Use(t.Context(), "kind", "key", func(string) error { panic("made again") },
		func(*cache.Entry) (string, error) { return "", cache.Damaged(syscall.EMFILE) })
	require.ErrorIs(t, err, syscall.EMFILE)
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kind"), nil, 0o644))
	for name, test := range map[string]struct{ root, want string }{
		"a file":      {file, "remove what is in the way, or set STRAKE_CACHE"},
		"below one":   {filepath.Join(file, "cache"), "remove what is in the way, or set STRAKE_CACHE"},
		"kind a file": {dir, "remove what is in the way, or set STRAKE_CACHE"},
		// /sys refuses folders, also root's.
		"not ours": {"/sys/strake", "make /sys writable for this user, or set STRAKE_CACHE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(cache.EnvDir, test.root)
			_, err := use(t.Context(), write("never"))
			require.ErrorContains(t, err, test.want)
			_, err = cache.Lock(t.Context(), filepath.Join(test.root, "kind", "key.lock"))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestEntriesOfAReadOnlyCacheAreRead(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	whole(t.Context(), t)
	require.NoError(t, os.Remove(filepath.Join(root, "kind", "key.lock")))
	require.NoError(t, os.Chmod(filepath.Join(root, "kind"), 0o555))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, "kind"), 0o755) })
	require.Zero(t, whole(t.Context(), t))
	require.NoFileExists(t, filepath.Join(root, "kind", "key.lock"), "reading takes no lock")
}

func TestList(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	none, err := cache.List("kind")
	require.NoError(t, err)
	require.Empty(t, none)

	whole(t.Context(), t)
	long := time.Now().Add(-100 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(root, "kind", "key"), long, long))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "kind", "rest.part"), 0o755))
	all, err := cache.List("kind")
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "kind/key", all[0].Name())
	require.True(t, all[0].Entry)
	require.WithinDuration(t, long, all[0].Used, time.Second)
	require.NoError(t, all[0].Verify(nil))
	require.False(t, all[1].Entry, "a killed run left it")
	require.NoError(t, all[1].Verify(nil))

	whole(t.Context(), t)
	all, err = cache.List("kind")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), all[0].Used, time.Minute, "reading is a use")

	require.NoError(t, os.Truncate(filepath.Join(root, "kind", "key", "below", "file"), 0))
	require.EqualError(t, all[0].Verify(nil), "below/file has 0 bytes, not 7")

	unlock, err := cache.Lock(t.Context(), filepath.Join(root, "kind", "key.lock"))
	require.NoError(t, err)
	removed, err := all[0].Remove()
	require.NoError(t, err)
	require.False(t, removed, "it is in use")
	unlock()
	for _, s := range all {
		removed, err := s.Remove()
		require.NoError(t, err)
		require.True(t, removed)
	}
	left, err := os.ReadDir(filepath.Join(root, "kind"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestLockOutlivesItsFile(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	whole(t.Context(), t)
	file := filepath.Join(root, "kind", "key.lock")
	unlock, err := cache.Lock(t.Context(), file)
	require.NoError(t, err)
	locked := make(chan func(), 1)
	go func() {
		second, _ := cache.Lock(t.Context(), file)
		locked <- second
	}()
	time.Sleep(300 * time.Millisecond) // the second waits for the file that goes now
	require.NoError(t, os.Remove(file))
	unlock()
	second := <-locked
	defer second()
	require.FileExists(t, file, "the second has the lock of the file that is there")
}

func TestScratch(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.EnvDir, root)
	dir, done, err := cache.Scratch(t.Context(), "kind")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(dir, filepath.Join(root, "kind")))
	all, err := cache.List("kind")
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.False(t, all[0].Entry)
	removed, err := all[0].Remove()
	require.NoError(t, err)
	require.False(t, removed, "it is in use")
	done()
	left, err := os.ReadDir(filepath.Join(root, "kind"))
	require.NoError(t, err)
	require.Empty(t, left)
}
