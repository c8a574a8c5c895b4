// Package catalog reads what a checkout declares: packages/, repo/ and the
// locks beside each version, strictly, into types. Whoever holds a [Catalog]
// need not check a field of it again.
//
// It must not know ytt, OCI or Kubernetes: it opens the files of this project
// and nothing else, so that it costs milliseconds and every stage can use it.
//
// Start reading at [Load]; the types tell the file formats.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// packagesDir holds one folder a package.
const packagesDir = "packages"

// Option changes what [Load] insists on.
type Option func(*loader)

// AllowMissingLocks is for the commands that write images.lock.yml: a version
// whose lock is broken, made for other images, or missing though it is published
// is loaded with Images nil.
func AllowMissingLocks(l *loader) { l.missingLocks = true }

// FindRoot answers with the nearest folder, from dir upwards, that holds
// repo/repository.yml.
func FindRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("looking for the checkout around %s: %w", dir, err)
	}
	for at := start; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, RepositoryFile)); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no checkout found: neither %s nor a parent folder has %s; change to a checkout, or pass it with --root", start, RepositoryFile)
		}
	}
}

// Load reads the catalog of the checkout at root. Its error joins all that is
// wrong in all files, in a fixed order, each as PATH:LINE: MESSAGE with the
// path relative to root.
func Load(root string, options ...Option) (*Catalog, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("loading the catalog of %s: %w", root, err)
	}
	l := &loader{root: abs}
	for _, option := range options {
		option(l)
	}
	c := &Catalog{Root: abs, Packages: l.packages()}
	l.makers(c)
	c.Repository = l.repository(c.Packages)
	c.Costs = l.costs(c.Packages)
	l.locks(c)
	l.requirements(c)
	l.installs(c)
	if l.leaveOut {
		l.leaveOutBroken(c)
	}
	if err := join(l.problems); err != nil {
		return nil, err
	}
	return c, nil
}

// loader gathers the problems of one Load.
type loader struct {
	root         string
	missingLocks bool
	leaveOut     bool
	problems     []problem
}

// read parses the file at the slash path name by parse, and tells whether
// nothing was wrong with it. The way out of a missing file is remedy.
func (l *loader) read(name, remedy string, parse func(f *file, data []byte)) bool {
	data, err := os.ReadFile(l.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.bad(name, "missing; %s", remedy)
		return false
	case err != nil:
		l.bad(name, "%v", err)
		return false
	}
	f := newFile(name)
	parse(f, data)
	l.problems = append(l.problems, f.sorted()...)
	return len(f.problems) == 0
}

func (l *loader) path(name string) string { return filepath.Join(l.root, filepath.FromSlash(name)) }

func (l *loader) exists(name string) bool {
	_, err := os.Stat(l.path(name))
	return err == nil
}

func (l *loader) relative(file string) string {
	name, err := filepath.Rel(l.root, file)
	if err != nil {
		return file
	}
	return filepath.ToSlash(name)
}

func (l *loader) bad(name, format string, args ...any) {
	l.problems = append(l.problems, problem{name, 0, fmt.Sprintf(format, args...)})
}

// entries are the names in a folder, sorted, without hidden ones and backups.
func (l *loader) entries(name string) []fs.DirEntry {
	entries, err := os.ReadDir(l.path(name))
	if err != nil {
		l.bad(name, "%v; run this in a checkout", err)
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name()[0] == '.' || IsBackup(e.Name()) })
}

func (l *loader) repository(packages []*Package) (r Repository) {
	l.read(RepositoryFile, "it names the domain and the canonical repository", func(f *file, data []byte) {
		r = parseRepository(f, data)
		checkPublished(f, r, packages)
		checkBootstrap(f, r, packages)
		checkQuickstart(f, r, packages)
	})
	return r
}
