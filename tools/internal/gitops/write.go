package gitops

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// mark stands in the first line of each file, and tells whose it is.
func mark(environment string) string {
	return fmt.Sprintf("Made by `strake env render %s --gitops`; what is changed here is lost.", environment)
}

// markForm finds the mark, with the environment's name.
var markForm = regexp.MustCompile("^(?:# |<!-- )Made by `strake env render (\\S+) --gitops`;")

// encryptedSuffix ends the names of files that SOPS encrypted.
const encryptedSuffix = ".sops.yaml"

// temporary begins the names of files that are being written.
const temporary = ".part-"

// Changes are what [Write] did, as paths below the folder, sorted.
type Changes struct{ Written, Removed []string }

// Encrypted are the names of the files of SOPS in a folder's prerequisites, which
// a person put there. No folder has none.
func Encrypted(dir string) ([]string, error) {
	entries, err := os.ReadDir(path.Join(dir, prerequisitesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for encrypted files: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() && strings.HasSuffix(entry.Name(), encryptedSuffix) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Write makes a folder hold the files, each written in one step, and removes
// those of an earlier run for the same environment that are no longer made.
// Files that it did not make, or made for another environment, are an error
// before anything is written, unless force is set; then they are overwritten
// where they are in the way, and never removed.
func Write(dir string, f *Folder, force bool) (changes Changes, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return changes, fmt.Errorf("making the folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return changes, fmt.Errorf("opening the folder: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	w := writer{root: root, dir: dir, folder: f}
	if err := w.read(); err != nil {
		return changes, err
	}
	if err := w.refuse(); err != nil && !force {
		return changes, err
	}
	return w.write()
}

// writer brings one folder up to date.
type writer struct {
	root   *os.Root
	dir    string
	folder *Folder
	// found are the files that are there, by path.
	found map[string][]byte
}

func (w *writer) read() error {
	w.found = map[string][]byte{}
	for _, below := range folders() {
		entries, err := fs.ReadDir(w.root.FS(), below)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the folder %s: %w", w.dir, err)
		}
		for _, entry := range entries {
			if !entry.Type().IsRegular() {
				continue
			}
			name := path.Join(below, entry.Name())
			if w.found[name], err = w.root.ReadFile(name); err != nil {
				return fmt.Errorf("reading the folder %s: %w", w.dir, err)
			}
		}
	}
	return nil
}

// refuse names the files in the way that are somebody else's.
func (w *writer) refuse() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(w.folder.Files)) {
		text, found := w.found[name]
		switch made := madeFor(text); {
		case !found || made == w.folder.Environment:
		case made != "":
			errs = append(errs, fmt.Errorf("%s was written for the environment %s; choose another folder, or pass --force", path.Join(w.dir, name), made))
		default:
			errs = append(errs, fmt.Errorf("%s was not written by this command, or was encrypted since; move it, choose another folder, or pass --force", path.Join(w.dir, name)))
		}
	}
	return errors.Join(errs...)
}

// madeFor is the environment of a file of ours, or empty.
func madeFor(text []byte) string {
	if match := markForm.FindSubmatch(text); match != nil {
		return string(match[1])
	}
	return ""
}

func (w *writer) write() (changes Changes, err error) {
	for _, name := range slices.Sorted(maps.Keys(w.folder.Files)) {
		if text, found := w.found[name]; found && bytes.Equal(text, w.folder.Files[name]) {
			continue
		}
		if err := w.replace(name, w.folder.Files[name]); err != nil {
			return changes, fmt.Errorf("writing %s: %w", path.Join(w.dir, name), err)
		}
		changes.Written = append(changes.Written, name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.found)) {
		_, wanted := w.folder.Files[name]
		if wanted || madeFor(w.found[name]) != w.folder.Environment {
			continue
		}
		if err := w.root.Remove(name); err != nil {
			return changes, fmt.Errorf("removing what is no longer made: %w", err)
		}
		changes.Removed = append(changes.Removed, name)
	}
	return changes, nil
}

// replace writes a file beside its place and puts it there when it is whole.
func (w *writer) replace(name string, text []byte) error {
	if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	temp := path.Join(path.Dir(name), temporary+path.Base(name))
	err := w.root.WriteFile(temp, text, 0o644)
	if err == nil {
		err = w.root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, w.root.RemoveAll(temp))
	}
	return nil
}
