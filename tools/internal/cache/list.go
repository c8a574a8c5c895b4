package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Stored is what the cache holds under one key of a kind: an entry, what a
// killed run left of one, or both.
type Stored struct {
	Kind, Key string
	// Size is that of all files, in bytes.
	Size int64
	// Used is when the entry was last read, to the hour.
	Used time.Time
	// Entry tells that there is more than what a killed run left.
	Entry bool

	dir string
}

// List returns what the cache holds of a kind, by key. A kind that was never
// filled has nothing.
func List(kind string) ([]Stored, error) {
	parent, err := Dir(kind)
	if err != nil {
		return nil, err
	}
	names, err := os.ReadDir(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unusable(parent, fmt.Errorf("listing the cache: %w", err))
	}
	var all []Stored
	for _, name := range names {
		if strings.HasSuffix(name.Name(), lockSuffix) {
			continue
		}
		key, rest := strings.CutSuffix(name.Name(), partSuffix)
		i := slices.IndexFunc(all, func(s Stored) bool { return s.Key == key })
		if i < 0 {
			i = len(all)
			all = append(all, Stored{Kind: kind, Key: key, dir: filepath.Join(parent, key)})
		}
		all[i].add(filepath.Join(parent, name.Name()), !rest)
	}
	return all, nil
}

// Size returns the bytes of all files of a folder; what cannot be read, or
// goes away meanwhile, counts as nothing.
func Size(dir string) int64 {
	var size int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // see above
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}

func (s *Stored) add(path string, entry bool) {
	s.Entry = s.Entry || entry
	s.Size += Size(path)
	if info, err := os.Lstat(path); err == nil && info.ModTime().After(s.Used) {
		s.Used = info.ModTime()
	}
}

// Name is KIND/KEY.
func (s Stored) Name() string { return s.Kind + "/" + s.Key }

// Verify reads every file of the entry and returns what is wrong with it, or
// nil. unsealed, if not nil, checks the folder of an entry that has no
// checksums.
func (s Stored) Verify(unsealed func(dir string) error) error {
	e := &Entry{Name: s.Name(), dir: s.dir}
	err := e.present()
	switch {
	case errors.Is(err, errMissing):
		return nil
	case err != nil:
		return err
	}
	if _, err := os.Lstat(e.file(sumsFile)); errors.Is(err, fs.ErrNotExist) && unsealed != nil {
		return unsealed(s.dir)
	}
	_, err = e.Whole()
	if damage := (*damagedError)(nil); errors.As(err, &damage) {
		return errors.New(damage.reason(s.dir))
	}
	return err
}

// Remove removes all that the cache holds under the key, and returns false
// where another run is making the entry.
func (s Stored) Remove() (bool, error) {
	lock := s.dir + lockSuffix
	unlock, err := tryLock(lock)
	if err != nil || unlock == nil {
		return false, err
	}
	defer unlock()
	if err := (&Entry{Name: s.Name(), dir: s.dir}).remove(); err != nil {
		return false, err
	}
	if err := os.Remove(lock); err != nil {
		return true, unusable(lock, fmt.Errorf("removing the lock %s: %w", lock, err))
	}
	return true, nil
}
