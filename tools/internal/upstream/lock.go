package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// lockFile is a version's vendir.lock.yml, in vendir's own format. It has one
// entry for each of the contents that vendir fetches, and none for modules.
// Each entry's configDigest, which vendir writes for contents that are lazy,
// tells whether vendir.yml has changed since.
type lockFile struct {
	vendir.LockConfig
	file string
}

// readLock reads the lock of a version and checks that it is one of what
// vendir.yml asks for. Where vendir fetches nothing there must be no file,
// and the result is an empty lock.
func readLock(v *catalog.Version, c *config) (*lockFile, error) {
	l := &lockFile{file: filepath.Join(v.Dir, catalog.VendirLockFile)}
	_, err := os.Stat(l.file)
	switch {
	case !c.fetches() && err == nil:
		return nil, fmt.Errorf("%s pins nothing, since %s takes everything from Go modules: delete it", l.file, c.file)
	case !c.fetches():
		return l, nil
	case err != nil:
		return nil, fmt.Errorf("%s is missing (%w): write it with strake upstream lock %s@%s", l.file, err, v.Package.Name, v.Version)
	}
	if l.LockConfig, err = vendir.NewLockConfigFromFile(l.file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.file, err)
	}
	if err := errors.Join(l.checkEntries(c), l.checkExtra(c)); err != nil {
		return nil, fmt.Errorf("%w\nwrite the lock again with strake upstream lock %s@%s", err, v.Package.Name, v.Version)
	}
	return l, nil
}

func (l *lockFile) checkEntries(c *config) error {
	return c.each(func(path string, one *vendir.DirectoryContents) error {
		if !isFetched(one) {
			return nil
		}
		entry, ok := l.entry(path)
		if !ok {
			return fmt.Errorf("%s has no entry for it", l.file)
		}
		if pinned(entry) == "" {
			return fmt.Errorf("the entry in %s pins nothing", l.file)
		}
		digest, err := configDigest(*one)
		if err != nil {
			return err
		}
		if entry.ConfigDigest != digest {
			return fmt.Errorf("%s was written for another configuration: its configDigest is %q, not %q", l.file, entry.ConfigDigest, digest)
		}
		return nil
	})
}

// checkExtra refuses entries that nothing in vendir.yml asks for.
func (l *lockFile) checkExtra(c *config) error {
	asked := map[string]bool{}
	_ = c.each(func(path string, one *vendir.DirectoryContents) error {
		asked[path] = isFetched(one)
		return nil
	})
	var errs []error
	for _, d := range l.Directories {
		for _, entry := range d.Contents {
			if path := join(d.Path, entry.Path); !asked[path] {
				errs = append(errs, fmt.Errorf("%s: the entry %s is of nothing that %s fetches", l.file, path, c.file))
			}
		}
	}
	return errors.Join(errs...)
}

// entry finds the lock of the contents at a path below the sources.
func (l *lockFile) entry(path string) (vendir.LockDirectoryContents, bool) {
	for _, d := range l.Directories {
		for _, entry := range d.Contents {
			if join(d.Path, entry.Path) == path {
				return entry, true
			}
		}
	}
	return vendir.LockDirectoryContents{}, false
}

// check compares what vendir says it has fetched with the lock.
func (l *lockFile) check(got vendir.LockConfig) error {
	arrived := lockFile{LockConfig: got}
	var errs []error
	for _, d := range l.Directories {
		for _, want := range d.Contents {
			path := join(d.Path, want.Path)
			entry, _ := arrived.entry(path)
			if pinned(entry) != pinned(want) {
				errs = append(errs, l.mismatch(path, want, entry))
			}
		}
	}
	return errors.Join(errs...)
}

// checkGit is check for what was fetched without a lock, of git alone.
func (l *lockFile) checkGit(got vendir.LockConfig) error {
	var errs []error
	for _, d := range got.Directories {
		for _, entry := range d.Contents {
			path := join(d.Path, entry.Path)
			if want, ok := l.entry(path); ok && want.Git != nil && pinned(want) != pinned(entry) {
				errs = append(errs, l.mismatch(path, want, entry))
			}
		}
	}
	return errors.Join(errs...)
}

func (l *lockFile) mismatch(path string, want, got vendir.LockDirectoryContents) error {
	return fmt.Errorf("%s: %s is locked as %s, but upstream now has %s: find out why before you lock it again with strake upstream lock",
		l.file, path, pinned(want), pinned(got))
}

// pinned is what a lock entry pins the contents to. For http and GitHub
// releases vendir's lock says little or nothing: the checksums in vendir.yml
// pin them, and those are part of the entry's configDigest.
func pinned(e vendir.LockDirectoryContents) string {
	switch {
	case e.Git != nil:
		return e.Git.SHA
	case e.Image != nil:
		return withDigest(e.Image.URL)
	case e.ImgpkgBundle != nil:
		return withDigest(e.ImgpkgBundle.Image)
	case e.HelmChart != nil:
		return e.HelmChart.Version
	case e.GithubRelease != nil:
		return e.GithubRelease.URL
	case e.HTTP != nil:
		return "the sha256 in vendir.yml"
	}
	return ""
}

// withDigest is the reference if it names a digest.
func withDigest(reference string) string {
	if strings.Contains(reference, "@sha256:") {
		return reference
	}
	return ""
}

// configDigest is what vendir itself writes into a lock for lazy contents.
func configDigest(one vendir.DirectoryContents) (string, error) {
	one.Lazy = true
	data, err := yaml.Marshal(one)
	if err != nil {
		return "", fmt.Errorf("hashing the configuration of %s: %w", one.Path, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
