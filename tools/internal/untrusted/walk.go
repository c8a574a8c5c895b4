package untrusted

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// visit is called with each entry of an archive, in order. path is the entry's
// place, which was checked; content is that of a file, and empty for a folder.
type visit func(path string, e entry, content io.Reader) error

// walker reads archives and counts what it has read of all of them.
type walker struct {
	ctx    context.Context //nolint:containedctx // a walker lives as long as one call, and its readers have no other way to the context
	limits Limits
	// archive is the size of the archives so far, compressed; stream that of
	// the tar files in them, and content that of the files, where a sparse
	// file counts with its holes.
	archive, stream, content int64
	entries                  int
}

// walk reads a whole archive. Whatever is wrong with it is an error, even
// behind its last entry.
func (w *walker) walk(file string, f visit) error {
	found, err := detect(file)
	if err != nil {
		return err
	}
	archive, err := os.Open(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	info, err := archive.Stat()
	if err != nil {
		return err
	}
	if w.archive += info.Size(); w.archive > w.limits.Archive {
		return fmt.Errorf("the archive has more than %s: %w", Size(w.limits.Archive), ErrLimit)
	}
	switch found {
	case zipped:
		return w.zip(archive, info.Size(), f)
	case tarred:
		return w.tar(archive, f)
	case gzipped:
		return w.gzip(archive, f)
	case zstandard:
		return w.zstd(archive, f)
	}
	return errors.New("not an archive (tar, tar.gz, tar.zst or zip)")
}

func (w *walker) gzip(r io.Reader, f visit) error {
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("reading gzip: %w", err)
	}
	return w.tar(unzipped, f)
}

func (w *walker) zstd(r io.Reader, f visit) error {
	// The memory that a frame asks for is bounded; zstd's own tools write
	// frames of 8 MiB unless they are told otherwise.
	unpacked, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return fmt.Errorf("reading zstd: %w", err)
	}
	defer unpacked.Close()
	return w.tar(unpacked, f)
}

func (w *walker) tar(r io.Reader, f visit) error {
	stream := &counted{w: w, r: r, count: &w.stream}
	for archive := tar.NewReader(stream); ; {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			// The checksum of a compressed file stands behind its content.
			_, err := io.Copy(io.Discard, stream)
			return wrap("reading what follows the last entry", err)
		case errors.Is(err, tar.ErrInsecurePath): // Go's own check, where GODEBUG asks for it: ours has more to say
		case err != nil:
			return wrap("reading tar", err)
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			err = w.count()
		} else {
			err = w.entry(entry{header.Name, tarMode(header)}, archive, f)
		}
		if err != nil {
			return err
		}
	}
}

// tarMode is the mode of an entry, in which hard links and what tar alone
// knows are irregular.
func tarMode(h *tar.Header) fs.FileMode {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
		return h.FileInfo().Mode()
	case tar.TypeLink, tar.TypeSymlink:
		return fs.ModeSymlink
	case tar.TypeChar, tar.TypeBlock:
		return fs.ModeDevice
	case tar.TypeFifo:
		return fs.ModeNamedPipe
	}
	return fs.ModeIrregular
}

// zip reads the list of entries at the archive's end, whose memory is bounded
// by what may be read of it.
func (w *walker) zip(r io.ReaderAt, size int64, f visit) error {
	const list = 64 << 20
	bounded := &boundedAt{r: r, left: list}
	archive, err := zip.NewReader(bounded, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return wrap("reading zip", err)
	}
	bounded.left = -1
	for _, file := range archive.File {
		if err := w.zipped(file, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) zipped(file *zip.File, f visit) (err error) {
	e := entry{file.Name, file.Mode()}
	if e.mode.IsDir() {
		return w.entry(e, eof{}, f)
	}
	content, err := file.Open()
	if err != nil {
		return fmt.Errorf("entry %q: %w", e.name, err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	return w.entry(e, content, f)
}

// entry checks one entry, and then has it visited.
func (w *walker) entry(e entry, content io.Reader, f visit) error {
	path, err := e.path(w.limits)
	if err != nil {
		return err
	}
	if err := w.count(); err != nil {
		return err
	}
	if err := f(path, e, &counted{w: w, r: content, count: &w.content}); err != nil {
		return wrap(fmt.Sprintf("entry %q", e.name), err)
	}
	return nil
}

func (w *walker) count() error {
	if w.entries++; w.entries > w.limits.Entries {
		return fmt.Errorf("the archive has more than %d entries: %w", w.limits.Entries, ErrLimit)
	}
	return w.ctx.Err()
}

// room is how much the archives so far may unpack to.
func (w *walker) room() int64 {
	return min(w.limits.Content, max(freeContent, w.archive*w.limits.Ratio))
}

// counted adds what is read to a count, and ends with the limits and the
// context.
type counted struct {
	w     *walker
	r     io.Reader
	count *int64
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	if err := c.w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if *c.count += int64(n); *c.count > c.w.room() {
		return 0, fmt.Errorf("the archive of %d bytes unpacks to more than %s: %w", c.w.archive, Size(c.w.room()), ErrLimit)
	}
	return n, err
}

// boundedAt reads a number of bytes at most; less than 0 is without a bound.
type boundedAt struct {
	r    io.ReaderAt
	left int64
}

// ReadAt implements [io.ReaderAt].
func (b *boundedAt) ReadAt(p []byte, off int64) (int, error) {
	if b.left >= 0 {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, fmt.Errorf("the archive's list of entries is too long: %w", ErrLimit)
		}
	}
	return b.r.ReadAt(p, off)
}

type eof struct{}

// Read implements [io.Reader].
func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// wrap says what was being done, unless the error is complete by itself.
func wrap(doing string, err error) error {
	var refused *EntryError
	if err == nil || errors.Is(err, ErrLimit) || errors.As(err, &refused) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
