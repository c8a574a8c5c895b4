package nodeimage

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// layer is a tar in the making. Its first error stays and ends it, so callers
// add entries without asking each time.
type layer struct {
	file *os.File
	tar  *tar.Writer
	err  error
}

func newLayer(file string) *layer {
	f, err := os.Create(file)
	l := &layer{file: f, err: err}
	if err == nil {
		l.tar = tar.NewWriter(f)
	}
	return l
}

func (l *layer) header(h *tar.Header) {
	if l.err == nil {
		h.ModTime = time.Unix(0, 0)
		l.err = l.tar.WriteHeader(h)
	}
}

// folder adds an empty folder, bytes and copied a regular file, link a
// symbolic link. Paths have no leading slash.
func (l *layer) folder(name string) {
	l.header(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755})
}

func (l *layer) link(name, target string) {
	l.header(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
}

func (l *layer) bytes(name string, content []byte) {
	l.header(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644})
	if l.err == nil {
		_, l.err = l.tar.Write(content)
	}
}

func (l *layer) copied(name, from string, mode int64) {
	if l.err != nil {
		return
	}
	f, err := os.Open(from)
	if err != nil {
		l.err = err
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		l.err = err
		return
	}
	l.header(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: mode})
	if l.err == nil {
		_, l.err = io.Copy(l.tar, f)
	}
}

// tree copies the files of a folder, each with the mode that modeOf gives it.
func (l *layer) tree(name, from string, modeOf func(string) int64) {
	if l.err != nil {
		return
	}
	l.err = filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		target := path.Join(name, filepath.ToSlash(below))
		l.copied(target, file, modeOf(target))
		return l.err
	})
}

// finish closes the tar and answers with it as an image layer. compression is
// gzip's level: none for what only travels to an engine on this host.
func (l *layer) finish(compression int) (v1.Layer, error) {
	if l.err == nil {
		l.err = l.tar.Close()
	}
	if l.file == nil {
		return nil, fmt.Errorf("making an image layer: %w", l.err)
	}
	if err := l.file.Close(); l.err == nil {
		l.err = err
	}
	if l.err != nil {
		return nil, fmt.Errorf("making the image layer %s: %w", l.file.Name(), l.err)
	}
	return fileLayer(l.file.Name(), compression)
}

func fileLayer(file string, compression int) (v1.Layer, error) {
	l, err := tarball.LayerFromFile(file, tarball.WithCompressionLevel(compression))
	if err != nil {
		return nil, fmt.Errorf("reading the image layer %s: %w", file, err)
	}
	return l, nil
}

// stored and fast are the two levels in use here.
const (
	stored = gzip.NoCompression
	fast   = gzip.BestSpeed
)
