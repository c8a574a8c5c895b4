package untrusted

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// format is how an archive is packed.
type format int

const (
	plain format = iota
	zipped
	tarred
	gzipped
	zstandard
	// unknownArchive is an archive that nothing here can unpack.
	unknownArchive
)

// IsArchive tells whether a file is an archive that [Unpack] takes. Its content
// decides. A file whose content is no such archive but whose name (a file's
// or a URL's path) promises one is an error, and not a plain file: what was
// meant to be unpacked would be kept as it is.
func IsArchive(file, name string) (bool, error) {
	found, err := detect(file)
	switch {
	case err != nil:
		return false, err
	case found == unknownArchive:
		return false, fmt.Errorf("%s has an unsupported compression; use tar, tar.gz, tar.zst or zip", path.Base(name))
	case found == plain && promisesArchive(name):
		return false, fmt.Errorf("%s has the name of an archive but is not one (tar, tar.gz, tar.zst or zip)", path.Base(name))
	}
	return found != plain, nil
}

func promisesArchive(name string) bool {
	extensions := []string{".tar", ".tgz", ".gz", ".zip", ".zst", ".tbz", ".bz2", ".txz", ".xz", ".7z", ".rar"}
	return slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

// detect reads the first bytes of a file.
func detect(file string) (format, error) {
	f, err := os.Open(file)
	if err != nil {
		return plain, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return plain, err
	}
	return formatOf(head[:n]), nil
}

func formatOf(head []byte) format {
	for _, magic := range []struct {
		bytes string
		is    format
	}{
		{"PK\x03\x04", zipped}, {"PK\x05\x06", zipped},
		{"\x1f\x8b", gzipped}, {"\x28\xb5\x2f\xfd", zstandard},
		{"BZh", unknownArchive}, {"\xfd7zXZ\x00", unknownArchive}, {"7z\xbc\xaf\x27\x1c", unknownArchive}, {"Rar!\x1a", unknownArchive},
	} {
		if bytes.HasPrefix(head, []byte(magic.bytes)) {
			return magic.is
		}
	}
	if isTar(head) {
		return tarred
	}
	return plain
}

// isTar tells tar by its magic number, or in its oldest form, which has none,
// by the checksum of the first header.
func isTar(head []byte) bool {
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return true
	}
	_, err := tar.NewReader(bytes.NewReader(head)).Next()
	return err == nil || errors.Is(err, tar.ErrInsecurePath)
}
