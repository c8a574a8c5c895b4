package cache

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Shared is a folder of a kind that several runs write to side by side, and that
// outlives them: what it holds speeds up the next run. It counts as what an unfinished
// run left, so [List] gives its size and [Stored.Remove] removes it, but not while it is
// in use.
type Shared struct {
	// Dir is the folder.
	Dir string

	file string
	lock *flock.Flock
}

// Share opens the folder of a kind with this key, and makes it where it is missing. It
// waits while another run clears it. The result must be released.
func Share(ctx context.Context, kind, key string) (*Shared, error) {
	parent, err := MakeDir(kind)
	if err != nil {
		return nil, err
	}
	s := &Shared{Dir: filepath.Join(parent, key+partSuffix), file: filepath.Join(parent, key+lockSuffix)}
	for {
		s.lock = flock.New(s.file)
		if _, err := s.lock.TryRLockContext(ctx, lockPoll); err != nil {
			return nil, unusable(s.file, fmt.Errorf("waiting for the lock %s: %w", s.file, err))
		}
		if holds(s.lock, s.file) {
			break
		}
		_ = s.lock.Unlock()
	}
	if err := makeFolder(s.Dir); err != nil {
		_ = s.lock.Unlock()
		return nil, err
	}
	return s, nil
}

// Release ends this run's use of the folder. It calls last, if not nil, where no other
// run uses it; runs that want it then wait.
func (s *Shared) Release(last func(dir string) error) error {
	if err := s.lock.Unlock(); err != nil || last == nil {
		return err
	}
	unlock, err := tryLock(s.file)
	if err != nil || unlock == nil {
		return err
	}
	defer unlock()
	return last(s.Dir)
}
