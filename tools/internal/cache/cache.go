// Package cache keeps what is slow to make and can be made again: folders
// named after the hash of everything they were made from, outside any
// checkout and shared by all of them.
//
// It must not know what it keeps. Start reading at [Folder].
package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// EnvDir names the environment variable that moves the cache.
const EnvDir = "STRAKE_CACHE"

const lockPoll = 200 * time.Millisecond

// Dir is the cache's root, or a folder below it: $STRAKE_CACHE, else
// "strake" in the user's cache folder. It is not created.
func Dir(elem ...string) (string, error) {
	root := os.Getenv(EnvDir)
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the user's cache folder (set %s to choose one): %w", EnvDir, err)
		}
		root = filepath.Join(user, "strake")
	}
	return filepath.Join(append([]string{root}, elem...)...), nil
}

// Folder answers with the folder kind/key of the cache. Where it is missing,
// produce fills a temporary folder beside it, which then takes the name in one
// step: if it is killed or fails, nothing is left under the final name. Two
// runs that want one key wait for each other, so produce runs once.
func Folder(ctx context.Context, kind, key string, produce func(dir string) error) (string, error) {
	parent, err := Dir(kind)
	if err != nil {
		return "", err
	}
	final := filepath.Join(parent, key)
	if exists(final) {
		return final, nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("making the cache folder %s: %w", parent, err)
	}
	unlock, err := Lock(ctx, final+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(final) {
		return final, nil
	}
	return final, fill(final, produce)
}

// Lock waits until no other process holds the lock file, or ctx ends.
func Lock(ctx context.Context, file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of the lock %s: %w", file, err)
	}
	lock := flock.New(file)
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("waiting for the lock %s: %w", file, err)
	}
	return func() { _ = lock.Unlock() }, nil
}

func fill(final string, produce func(dir string) error) error {
	// What an earlier run that was killed left behind goes first: the lock
	// is ours, so nobody is using it.
	tmp := final + ".part"
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("clearing %s: %w", tmp, err)
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", tmp, err)
	}
	if err := produce(tmp); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("keeping %s: %w", final, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
