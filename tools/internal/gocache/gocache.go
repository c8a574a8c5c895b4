// Package gocache bounds what compiling images leaves on the disk. The go commands that
// make images keep what they compile in a store of strake's, which is removed once all
// images of a command are made, instead of Go's build cache, which keeps everything for
// days.
//
// Nothing is compiled twice: what Go's build cache has is used from there and left
// alone, and the store outlives a run that fails or is killed. The go command reaches
// the store by GOCACHEPROG, with this program as a child. Hard links would need one file
// system for both, and a link for each of some 100,000 files before each build.
//
// A user's own GOCACHEPROG is used as it is, and then nothing is removed here.
//
// The package must not know what is compiled. Start reading at [With]; serve.go is the
// child.
package gocache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// Kind is the folder of the cache that holds the store.
const Kind = "go-build"

const (
	storeKey = "store"
	// leftover is how much a run that fails leaves for the next one, in bytes. What
	// the largest single image needs is less.
	leftover = 10 * 1000 * 1000 * 1000
)

// session is one run's use of the store.
type session struct {
	mu sync.Mutex
	// opened tells that env is set; shared is nil where there is no store to use.
	opened bool
	env    []string
	shared *cache.Shared
	// cleared tells that all images were made once; one may have been damaged since.
	cleared bool
}

type sessionKey struct{}

// With returns a context under which [Env] offers the store, and a function that ends
// the use of it. The end of a run that did not [Clear] the store leaves the part of it
// that was used last.
func With(ctx context.Context) (with context.Context, done func()) {
	s := &session{}
	return context.WithValue(ctx, sessionKey{}, s), func() {
		last := os.RemoveAll
		if !s.cleared {
			last = func(dir string) error { return trim(dir, leftover) }
		}
		s.close(last)
	}
}

// Env returns the environment variables that make a go command use the store: none
// where ctx has no store, or the user has set a GOCACHEPROG.
func Env(ctx context.Context) ([]string, error) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened {
		return s.env, nil
	}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("opening the build cache of images: %w", err)
	}
	s.opened = true
	return s.env, nil
}

func (s *session) open(ctx context.Context) error {
	user, err := gotool.FindCaches(ctx)
	// With GOCACHE=off, the go command refuses to compile, and says so.
	if err != nil || user.Program != "" || user.Build == "off" {
		return err
	}
	self, mark, err := child.Below(jobName)
	if err != nil {
		return err
	}
	shared, err := cache.Share(ctx, Kind, storeKey)
	if err != nil {
		return err
	}
	program, err := commandLine(self, shared.Dir, user.Build)
	if err != nil {
		return errors.Join(err, shared.Release(nil))
	}
	s.shared = shared
	// The go command makes the folder GOCACHE in any case; the user's may be read-only.
	s.env = []string{"GOCACHEPROG=" + program, mark, "GOCACHE=" + shared.Dir}
	return nil
}

// commandLine quotes arguments as GOCACHEPROG wants it: there is no escape character.
func commandLine(args ...string) (string, error) {
	var quoted []string
	for _, arg := range args {
		quote := `'`
		if strings.Contains(arg, quote) {
			quote = `"`
		}
		if strings.Contains(arg, quote) {
			return "", fmt.Errorf("the path %s has both kinds of quotation marks, which GOCACHEPROG cannot hold: use another folder", arg)
		}
		quoted = append(quoted, quote+arg+quote)
	}
	return strings.Join(quoted, " "), nil
}

// close ends the use of the store. What cannot be put in order now is left to the next
// run, and "strake cache" shows it.
func (s *session) close(last func(dir string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared != nil {
		_ = s.shared.Release(last)
	}
	s.shared, s.env, s.opened = nil, nil, false
}

// Clear removes the store, also what earlier runs left of it, since all images that a
// command needs are made. A store that another run uses is left to that one.
func Clear(ctx context.Context) {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		s.cleared = true
		s.close(nil)
	}
	if err := removeStores(ctx); err != nil {
		progress.From(ctx).Step("the build cache of images is left: %v; remove it with \"strake cache clear %s\"", err, Kind)
	}
}

func removeStores(ctx context.Context) error {
	stores, err := cache.List(Kind)
	if err != nil {
		return err
	}
	for _, store := range stores {
		removed, err := store.Remove()
		if err != nil {
			return err
		}
		if removed && store.Size > 0 {
			progress.From(ctx).Step("removed the build cache of images, %s", humanize.Bytes(uint64(store.Size)))
		}
	}
	return nil
}

// trim removes the files of a store that were used longest ago, until the others have
// no more than limit bytes.
func trim(dir string, limit int64) error {
	var files []fs.FileInfo
	paths := map[fs.FileInfo]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		files = append(files, info)
		paths[info] = path
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for _, f := range files {
		if limit -= f.Size(); limit >= 0 {
			continue
		}
		if err := os.Remove(paths[f]); err != nil {
			return err
		}
	}
	return nil
}
