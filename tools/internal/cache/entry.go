package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// sumsFile lists the files of an entry, within the entry.
const sumsFile = ".strake-sums.json"

// sums is the content of sumsFile.
type sums struct {
	// Entry is KIND/KEY: a folder that was renamed is not that entry.
	Entry string         `json:"entry"`
	Files map[string]sum `json:"files"`
}

// sum describes one file, or the target of a symbolic link, by slash path.
type sum struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Link   bool   `json:"link,omitempty"`
}

// Entry is a folder of the cache while [Use] reads it. Its methods check what they read
// and return an error that makes [Use] make the entry again.
type Entry struct {
	// Name is KIND/KEY.
	Name string
	dir  string
	sums *sums
}

// damagedError is the error of an entry whose content is not what was kept.
type damagedError struct{ error }

func (e *damagedError) Unwrap() error { return e.error }

// reason is the error without the path of the entry, which stands beside it.
func (e *damagedError) reason(dir string) string {
	return strings.ReplaceAll(e.Error(), dir+string(filepath.Separator), "")
}

// Damaged marks err as a reason to make the entry again, for content that
// proves itself by other means than the entry's checksums. A process that is out of file
// descriptors or memory proves nothing: such an error is returned as it is.
func Damaged(err error) error {
	for _, passing := range []error{nil, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EINTR} {
		if errors.Is(err, passing) {
			return err
		}
	}
	return &damagedError{err}
}

// Unchecked returns the entry's folder for content that proves itself, as that
// of an OCI layout does by the digest of its index.
func (e *Entry) Unchecked() string { return e.dir }

// ReadFile returns the content of the file at a slash path of the entry.
func (e *Entry) ReadFile(name string) ([]byte, error) {
	if err := e.load(); err != nil {
		return nil, err
	}
	want, known := e.sums.Files[name]
	if !known {
		return nil, Damaged(fmt.Errorf("no checksum of %s is recorded", name))
	}
	content, err := os.ReadFile(e.file(name))
	if err != nil {
		return nil, Damaged(err)
	}
	got := sum{Size: int64(len(content)), SHA256: hexSum(content)}
	return content, want.compare(name, got)
}

// Whole returns the entry's folder after it has read and checked every file,
// and found no other.
func (e *Entry) Whole() (string, error) {
	if err := e.load(); err != nil {
		return "", err
	}
	found, err := list(e.dir)
	if err != nil {
		return "", Damaged(err)
	}
	for name := range e.sums.Files {
		if _, there := found[name]; !there {
			return "", Damaged(fmt.Errorf("%s is missing", name))
		}
	}
	for name, mode := range found {
		if err := e.check(name, mode); err != nil {
			return "", err
		}
	}
	return e.dir, nil
}

func (e *Entry) check(name string, mode fs.FileMode) error {
	want, known := e.sums.Files[name]
	if !known {
		return Damaged(fmt.Errorf("%s does not belong to the entry", name))
	}
	got, err := measure(e.file(name), mode)
	if err != nil {
		return Damaged(err)
	}
	return want.compare(name, got)
}

func (e *Entry) load() error {
	if e.sums != nil {
		return nil
	}
	content, err := os.ReadFile(e.file(sumsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Damaged(errors.New("it has no checksums, as entries of earlier releases of strake"))
	}
	if err != nil {
		return Damaged(err)
	}
	read := &sums{}
	if err := json.Unmarshal(content, read); err != nil {
		return Damaged(fmt.Errorf("reading %s (%d bytes): %w", sumsFile, len(content), err))
	}
	if read.Entry != e.Name {
		return Damaged(fmt.Errorf("%s is that of %q", sumsFile, read.Entry))
	}
	e.sums = read
	return nil
}

func (e *Entry) file(name string) string { return filepath.Join(e.dir, filepath.FromSlash(name)) }

// touchAfter is how exactly the last use of an entry is known.
const touchAfter = time.Hour

// touch records a use in the folder's modification time. A cache that cannot be written can still be read.
func (e *Entry) touch() {
	now := time.Now()
	if info, err := os.Stat(e.dir); err == nil && now.Sub(info.ModTime()) > touchAfter {
		_ = os.Chtimes(e.dir, now, now)
	}
}

func (want sum) compare(name string, got sum) error {
	switch {
	case got.Link != want.Link:
		return Damaged(fmt.Errorf("%s is of another type", name))
	case got.Size != want.Size:
		return Damaged(fmt.Errorf("%s has %d bytes, not %d", name, got.Size, want.Size))
	case got.SHA256 != want.SHA256:
		return Damaged(fmt.Errorf("%s has the SHA-256 %s, not %s", name, got.SHA256, want.SHA256))
	}
	return nil
}

// list returns the type of each file below dir, by slash path, without
// folders and the list of checksums.
func list(dir string) (map[string]fs.FileMode, error) {
	found := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if name != sumsFile {
			found[filepath.ToSlash(name)] = d.Type()
		}
		return err
	})
	return found, err
}

// measure describes a file.
func measure(path string, mode fs.FileMode) (sum, error) {
	if mode&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		return sum{Size: int64(len(target)), SHA256: hexSum([]byte(target)), Link: true}, err
	}
	if !mode.IsRegular() {
		return sum{}, fmt.Errorf("%s is neither a file nor a folder", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return sum{}, err
	}
	defer f.Close()
	h := sha256.New()
	size, err := io.Copy(h, f)
	return sum{Size: size, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

func hexSum(content []byte) string {
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}
