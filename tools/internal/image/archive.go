package image

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// entry is one file, folder or symbolic link of a layer.
type entry struct {
	// name is slash-separated and has no leading slash.
	name string
	kind byte // tar.TypeReg, tar.TypeDir or tar.TypeSymlink
	// mode is the permission, sticky bit included.
	mode     int64
	uid, gid int
	data     []byte
	target   string
}

func folder(name string, mode int64) entry { return entry{name: name, kind: tar.TypeDir, mode: mode} }

func file(name string, data []byte) entry {
	return entry{name: name, kind: tar.TypeReg, mode: 0o644, data: data}
}

// newLayer packs entries so that equal entries give equal bytes: sorted, dated
// 1970, owned by numbers alone, with every parent folder present.
func newLayer(entries []entry) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range withParents(entries) {
		if err := write(w, e); err != nil {
			return nil, fmt.Errorf("packing /%s into a layer: %w", e.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing a layer: %w", err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithCompressedCaching)
}

func write(w *tar.Writer, e entry) error {
	header := &tar.Header{
		Name: e.name, Typeflag: e.kind, Mode: e.mode, Uid: e.uid, Gid: e.gid,
		Size: int64(len(e.data)), Linkname: e.target, Format: tar.FormatUSTAR,
	}
	if e.kind == tar.TypeDir {
		header.Name += "/"
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(e.data)
	return err
}

// withParents adds the folders that entries lie in, and sorts: a folder
// comes before what it holds.
func withParents(entries []entry) []entry {
	all := map[string]entry{}
	for _, e := range entries {
		for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
			if _, known := all[dir]; !known {
				all[dir] = folder(dir, 0o755)
			}
		}
	}
	for _, e := range entries {
		all[e.name] = e
	}
	sorted := make([]entry, 0, len(all))
	for _, e := range all {
		sorted = append(sorted, e)
	}
	slices.SortFunc(sorted, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return sorted
}

// inImage turns an absolute path of an image into an entry's name.
func inImage(name string) (string, error) {
	if !path.IsAbs(name) || path.Clean(name) != name || name == "/" {
		return "", fmt.Errorf("path %q in an image is not absolute and clean, like /etc/ssl/cert.pem", name)
	}
	return strings.TrimPrefix(name, "/"), nil
}
