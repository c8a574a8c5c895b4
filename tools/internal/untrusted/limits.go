// Package untrusted reads what others made, archives and YAML, within limits
// and without writing anywhere but into the folder that it is given.
//
// The unpackers of the libraries join the names in an archive to a folder
// unchecked, so "../../x" lands outside of it, and imgpkg deletes what a
// whiteout names wherever that is. Go's own archive/tar and archive/zip only
// read; this package checks every entry before it writes the first one, and
// writes through [os.Root], which keeps to its folder whatever the check
// missed.
//
// It must not know where an archive came from: callers add the source and what
// to do about a refusal. Start reading at [Unpack] and [UnpackLayers]; entry.go
// has the rules for names, yaml.go the bounds of a YAML document.
package untrusted

import (
	"errors"
	"fmt"
	"io"
)

// ErrLimit is the cause of an error when something is larger than its limit.
var ErrLimit = errors.New("over the limit")

// Limits bound one archive, or all layers of one image together. Sizes are in
// bytes.
type Limits struct {
	// Archive is the size of the archive as it is downloaded.
	Archive int64
	// Content is the size of everything in it, unpacked.
	Content int64
	// Ratio is how many bytes one byte of the archive may unpack to, once it
	// has unpacked to more than freeContent.
	Ratio int64
	// Entries is the number of files, folders and other entries.
	Entries int
	// Depth is the number of parts of an entry's name.
	Depth int
}

// freeContent is what any archive may unpack to, whatever its ratio: small
// archives of generated YAML compress very well, and this much does no harm.
const freeContent = 16 << 20

// Default returns the limits for upstream sources. Sources of manifests are a
// few megabytes; whole repositories that hold them beside their code are the
// largest that are taken, and the limits leave those several times their size.
func Default() Limits {
	return Limits{
		// The source archive of Kubernetes has 50 MB.
		Archive: 512 << 20,
		// It unpacks to 350 MB.
		Content: 2 << 30,
		// Generated CRDs reach 30; deflate ends at 1032, which only bombs reach.
		Ratio: 200,
		// It has 30,000 entries.
		Entries: 200_000,
		// Java's package folders come near 20.
		Depth: 64,
	}
}

// File is the size of one downloaded file that is no archive, such as an
// index of charts, and of an answer of an API: parsed as YAML or JSON it takes
// about ten times as much memory.
const File = 64 << 20

// Limit returns a reader that fails with [ErrLimit] when r has more than n
// bytes. What names the content in the error.
func Limit(r io.Reader, n int64, what string) io.Reader {
	return &limited{r: r, left: n, limit: n, what: what}
}

type limited struct {
	r           io.Reader
	left, limit int64
	what        string
}

// Read implements [io.Reader]. It asks for one byte more than is allowed, to
// tell an end from an excess.
func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, fmt.Errorf("%s has more than %s: %w", l.what, Size(l.limit), ErrLimit)
	}
	return n, err
}

// Size returns a number of bytes as people read it, such as "16 MiB".
func Size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
