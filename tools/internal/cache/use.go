package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// Use returns what read makes of the entry kind/key.
//
// Where the entry is missing, produce fills a temporary folder beside it, which
// is synced and then renamed in one step: if produce is killed or fails, nothing is left
// under the final name. Two runs that want one key wait for each other, so
// produce runs once.
//
// Where read reports damage (an error of [Entry]'s methods, or of [Damaged]),
// the entry is removed, made again and read again, and a progress step says so.
// Damage right after the entry was made is returned as an error.
func Use[T any](ctx context.Context, kind, key string, produce func(dir string) error, read func(*Entry) (T, error)) (T, error) {
	var none T
	parent, err := Dir(kind)
	if err != nil {
		return none, err
	}
	e := &Entry{Name: kind + "/" + key, dir: filepath.Join(parent, key)}
	if result, err := attempt(e, read); !mustMake(err) {
		return result, err
	}
	if err := e.make(ctx, produce, func() error {
		_, err := attempt(e, read)
		return err
	}); err != nil {
		return none, err
	}
	result, err := attempt(e, read)
	if mustMake(err) {
		return none, fmt.Errorf("reading the cache entry %s right after it was made (is the disk of %s in order? %s moves the cache): %w", e.Name, parent, EnvDir, err)
	}
	return result, err
}

// attempt reads the entry as it is now.
func attempt[T any](e *Entry, read func(*Entry) (T, error)) (T, error) {
	var none T
	fresh := &Entry{Name: e.Name, dir: e.dir}
	if err := fresh.present(); err != nil {
		return none, err
	}
	result, err := read(fresh)
	if err == nil {
		fresh.touch()
	}
	return result, err
}

// make makes the entry under its lock, unless another run has made it
// meanwhile, which try finds out.
func (e *Entry) make(ctx context.Context, produce func(dir string) error, try func() error) error {
	unlock, err := Lock(ctx, e.dir+lockSuffix)
	if err != nil {
		return err
	}
	defer unlock()
	err = try()
	if !mustMake(err) {
		return nil // what try read is read again, its error too
	}
	if damage := (*damagedError)(nil); errors.As(err, &damage) {
		progress.From(ctx).Step("the cache entry %s is damaged and will be made again: %s", e.Name, damage.reason(e.dir))
	}
	if err := e.remove(); err != nil {
		return err
	}
	return e.fill(produce)
}

// errMissing is the state of an entry that was not made yet.
var errMissing = errors.New("not in the cache")

// mustMake tells whether an entry has to be made before it can be read.
func mustMake(err error) bool {
	return errors.Is(err, errMissing) || errors.As(err, new(*damagedError))
}

// present returns errMissing where nothing has the entry's name, and damage
// where something has that is not a folder.
func (e *Entry) present() error {
	info, err := os.Lstat(e.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errMissing
	case err != nil:
		return unusable(e.dir, fmt.Errorf("reading the cache: %w", err))
	case !info.IsDir():
		return Damaged(fmt.Errorf("%s is not a folder", e.dir))
	}
	return nil
}

// remove takes the entry away. It is renamed first, so that nobody sees half
// of it; the caller holds the lock.
func (e *Entry) remove() error {
	part := e.dir + partSuffix
	if err := removeAll(part); err != nil {
		return err
	}
	if err := os.Rename(e.dir, part); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return unusable(filepath.Dir(e.dir), fmt.Errorf("removing %s: %w", e.dir, err))
	}
	return removeAll(part)
}

// removeAll is os.RemoveAll for what may hold folders without write permission.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
	if err := os.RemoveAll(dir); err != nil {
		return unusable(dir, fmt.Errorf("removing %s: %w", dir, err))
	}
	return nil
}

// Scratch returns a new folder among those of a kind for what is needed for a
// while, and a function that removes it. "strake cache clear" removes it where
// a killed run left it.
func Scratch(ctx context.Context, kind string) (dir string, done func(), err error) {
	parent, err := MakeDir(kind)
	if err != nil {
		return "", nil, err
	}
	dir, err = os.MkdirTemp(parent, "scratch-*"+partSuffix)
	if err != nil {
		return "", nil, unusable(parent, err)
	}
	e := &Entry{dir: strings.TrimSuffix(dir, partSuffix)}
	unlock, err := Lock(ctx, e.dir+lockSuffix)
	if err != nil {
		return "", nil, errors.Join(err, removeAll(dir))
	}
	return dir, func() {
		_ = errors.Join(removeAll(dir), os.Remove(e.dir+lockSuffix))
		unlock()
	}, nil
}

// fill makes the entry; the caller holds the lock.
func (e *Entry) fill(produce func(dir string) error) error {
	part := e.dir + partSuffix
	if err := removeAll(part); err != nil { // what a killed run left
		return err
	}
	if err := makeFolder(part); err != nil {
		return err
	}
	if err := produce(part); err != nil {
		return errors.Join(err, removeAll(part))
	}
	if err := seal(part, e.Name); err != nil {
		return errors.Join(err, removeAll(part))
	}
	if err := os.Rename(part, e.dir); err != nil {
		return errors.Join(unusable(e.dir, fmt.Errorf("keeping %s: %w", e.dir, err)), removeAll(part))
	}
	return syncPath(filepath.Dir(e.dir))
}
