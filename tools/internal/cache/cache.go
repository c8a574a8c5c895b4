// Package cache keeps what is slow to make and can be made again: folders
// named after the hash of everything they were made from, outside any
// checkout and shared by all of them.
//
// Disks lose power and flip bits, so an entry is not trusted: it is synced
// before it gets its name, it records the size and SHA-256 of each of its
// files, and reading it checks them. A damaged entry is removed and made again,
// with a message.
//
// The package must not know what it keeps. Start reading at [Use]; entry.go
// reads, seal.go writes, list.go is what "strake cache" does.
package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// EnvDir names the environment variable that chooses the cache folder.
const EnvDir = "STRAKE_CACHE"

const (
	lockPoll = 200 * time.Millisecond

	lockSuffix = ".lock"
	partSuffix = ".part"
)

// Dir returns the absolute path of the cache's root, or of a folder below it:
// $STRAKE_CACHE, else "strake" in the user's cache folder. A relative
// $STRAKE_CACHE starts at the current folder. The folder is not created.
func Dir(elem ...string) (string, error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root}, elem...)...), nil
}

// MakeDir is [Dir], and makes the folder where it is missing.
func MakeDir(elem ...string) (string, error) {
	dir, err := Dir(elem...)
	if err != nil {
		return "", err
	}
	return dir, makeFolder(dir)
}

func root() (string, error) {
	dir := os.Getenv(EnvDir)
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the user's cache folder: %w: set %s to a folder that you can write to", err, EnvDir)
		}
		return filepath.Join(user, "strake"), nil
	}
	if dir == "~" || strings.HasPrefix(dir, "~/") {
		return "", fmt.Errorf("%s is %q, but only a shell expands the tilde: set it to an absolute path", EnvDir, dir)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("%s is the relative path %q, and the current folder is unknown: %w: set it to an absolute path", EnvDir, dir, err)
	}
	return absolute, nil
}

// Lock waits until no other process holds the lock file, or ctx ends. It makes
// the folder of the file.
func Lock(ctx context.Context, file string) (unlock func(), err error) {
	if err := makeFolder(filepath.Dir(file)); err != nil {
		return nil, err
	}
	for {
		lock := flock.New(file)
		if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
			return nil, unusable(file, fmt.Errorf("waiting for the lock %s: %w", file, err))
		}
		if holds(lock, file) {
			return func() { _ = lock.Unlock() }, nil
		}
		_ = lock.Unlock()
	}
}

// holds tells whether a lock that was taken is that of the file which has the
// name now: [Stored.Remove] removes the files of locks, too.
func holds(lock *flock.Flock, file string) bool {
	ours, err := lock.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(file)
	return err == nil && os.SameFile(ours, current)
}

// tryLock returns nil where somebody else holds the lock file.
func tryLock(file string) (unlock func(), err error) {
	lock := flock.New(file)
	locked, err := lock.TryLock()
	if err != nil {
		return nil, unusable(file, fmt.Errorf("taking the lock %s: %w", file, err))
	}
	if !locked || !holds(lock, file) {
		return nil, lock.Unlock()
	}
	return func() { _ = lock.Unlock() }, nil
}

func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return unusable(dir, fmt.Errorf("making the cache folder: %w", err))
	}
	return nil
}

// unusable adds the remedy to the error of a cache that cannot be written.
func unusable(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: the cache consists of folders; remove what is in the way, or set %s to another folder", err, EnvDir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: make %s writable for this user, or set %s to a folder that is", err, existing(path), EnvDir)
	}
	return err
}

// existing returns the nearest folder of a path that is there.
func existing(path string) string {
	for {
		if _, err := os.Lstat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}
