package untrusted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"
)

// Unpack unpacks an archive, a file of tar, tar.gz, tar.zst or zip, into the
// folder dir, which must exist and be empty. It reads the whole archive first:
// if any of its entries is refused ([EntryError]), or a limit is passed
// ([ErrLimit]), or the archive is damaged, nothing is written. Files can be
// read by everybody and written by their owner; they can be executed if their
// owner could.
func Unpack(ctx context.Context, file, dir string, l Limits) error {
	if err := scan(ctx, file, l); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	w := &walker{ctx: ctx, limits: l}
	err = w.walk(file, func(name string, e entry, content io.Reader) error {
		return write(root, name, e, content)
	})
	return errors.Join(err, root.Close())
}

// scan reads an archive to its end and writes nothing.
func scan(ctx context.Context, file string, l Limits) error {
	return (&walker{ctx: ctx, limits: l}).walk(file, discard)
}

func discard(_ string, _ entry, content io.Reader) error {
	_, err := io.Copy(io.Discard, content)
	return err
}

// UnpackLayers unpacks the layers of an image, the lowest first, into the
// empty folder dir. Each is an archive as for [Unpack], and the same holds for
// what is refused, with the limits for all layers together. A whiteout
// (".wh.NAME") removes NAME of the layers below, and an opaque one
// (".wh..wh..opq") all that they have in its folder.
func UnpackLayers(ctx context.Context, files []string, dir string, l Limits) error {
	scanned := &walker{ctx: ctx, limits: l}
	for _, file := range files {
		if err := scanned.walk(file, discard); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := unpackLayer(ctx, file, root, l); err != nil {
			return errors.Join(err, root.Close())
		}
	}
	return root.Close()
}

// unpackLayer removes what the layer hides before it writes what it has: in
// the archive, a whiteout may also come last.
func unpackLayer(ctx context.Context, file string, root *os.Root, l Limits) error {
	l.Ratio = math.MaxInt32 // the ratio is that of all layers together, and was checked
	first := &walker{ctx: ctx, limits: l}
	err := first.walk(file, func(name string, _ entry, _ io.Reader) error {
		if isWhiteout(name) {
			return hide(root, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	second := &walker{ctx: ctx, limits: l}
	return second.walk(file, func(name string, e entry, content io.Reader) error {
		if isWhiteout(name) {
			return discard(name, e, content)
		}
		if err := replace(root, name, e); err != nil {
			return err
		}
		return write(root, name, e, content)
	})
}

func isWhiteout(name string) bool { return strings.HasPrefix(path.Base(name), whiteoutPrefix) }

// hide removes what a whiteout names. The name was checked.
func hide(root *os.Root, name string) error {
	dir := path.Dir(name)
	if path.Base(name) != opaqueMarker {
		return root.RemoveAll(path.Join(dir, strings.TrimPrefix(path.Base(name), whiteoutPrefix)))
	}
	below, err := fs.ReadDir(root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, one := range below {
		err = errors.Join(err, root.RemoveAll(path.Join(dir, one.Name())))
	}
	return err
}

// replace removes a file where a folder comes, and a folder where a file
// comes.
func replace(root *os.Root, name string, e entry) error {
	info, err := root.Lstat(name)
	if err != nil || info.IsDir() == e.mode.IsDir() {
		return nil //nolint:nilerr // there is nothing to replace
	}
	return root.RemoveAll(name)
}

// write writes one entry. There are no links in root, so a name leads where
// it says.
func write(root *os.Root, name string, e entry, content io.Reader) (err error) {
	if e.mode.IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644|e.mode.Perm()&0o100|e.mode.Perm()&0o100>>3|e.mode.Perm()&0o100>>6)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(file, content)
	return err
}

// CheckTree refuses what is no file or folder below dir, and links that lead
// out of it: it is for what a program such as git wrote there.
func CheckTree(dir string, l Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, size := 0, int64(0)
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		entries, size = entries+1, size+info.Size()
		switch {
		case entries > l.Entries || size > l.Content:
			return fmt.Errorf("it has more than %d files or %s: %w", l.Entries, Size(l.Content), ErrLimit)
		case d.Type()&fs.ModeSymlink != 0:
			return checkLink(root, name)
		case !d.Type().IsRegular() && !d.IsDir():
			return &EntryError{name, "is a " + typeName(d.Type()) + "; only files, folders and links between them are taken"}
		}
		return nil
	})
}

// checkLink follows a link within root alone.
func checkLink(root *os.Root, name string) error {
	if _, err := root.Stat(name); err != nil {
		return &EntryError{name, "is a link that leads out of the source, or nowhere"}
	}
	return nil
}
