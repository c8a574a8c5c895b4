package image

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// stored is one image in an OCI layout: its index, which is the first entry of
// the layout's, and an SBOM for each platform of the index, in its order.
type stored struct {
	path  layout.Path
	index v1.Descriptor
	sboms []v1.Descriptor
}

// store writes an image to dir.
func store(dir string, index v1.ImageIndex, sboms []v1.Image) error {
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendIndex(index)
	}
	for _, sbom := range sboms {
		if err == nil {
			err = path.AppendImage(sbom)
		}
	}
	return err
}

// open reads what store wrote, and checks that all of it is there: manifests
// and configs by hash, layers by size, or by hash too if rehash is set.
func open(dir string, rehash bool) (stored, error) {
	path, err := layout.FromPath(dir)
	if err != nil {
		return stored{}, err
	}
	index, err := path.ImageIndex()
	if err != nil {
		return stored{}, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return stored{}, err
	}
	if len(manifest.Manifests) == 0 || !manifest.Manifests[0].MediaType.IsIndex() {
		return stored{}, fmt.Errorf("%s does not begin with an image index", filepath.Join(dir, "index.json"))
	}
	s := stored{path: path, index: manifest.Manifests[0], sboms: manifest.Manifests[1:]}
	return s, checker{path, rehash}.children(manifest.Manifests)
}

// checker finds out whether blobs are what descriptors say.
type checker struct {
	path   layout.Path
	rehash bool
}

func (c checker) children(all []v1.Descriptor) error {
	for _, d := range all {
		if err := c.manifest(d); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) manifest(d v1.Descriptor) error {
	if err := c.blob(d, true); err != nil {
		return err
	}
	if d.MediaType.IsIndex() {
		index, err := parse(c.path, d.Digest, v1.ParseIndexManifest)
		if err != nil {
			return err
		}
		return c.children(index.Manifests)
	}
	m, err := parse(c.path, d.Digest, v1.ParseManifest)
	if err != nil {
		return err
	}
	for _, layer := range m.Layers {
		if err := c.blob(layer, c.rehash); err != nil {
			return err
		}
	}
	return c.blob(m.Config, true)
}

// parse reads a manifest, at whatever depth of the layout it is named.
func parse[M any](path layout.Path, digest v1.Hash, read func(io.Reader) (*M, error)) (*M, error) {
	f, err := path.Blob(digest)
	if err != nil {
		return nil, err
	}
	m, err := read(f)
	return m, errors.Join(err, f.Close())
}

func (c checker) blob(d v1.Descriptor, hash bool) error {
	name := filepath.Join(string(c.path), "blobs", d.Digest.Algorithm, d.Digest.Hex)
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Size() != d.Size {
		return fmt.Errorf("%s has %d bytes, not %d", name, info.Size(), d.Size)
	}
	if !hash {
		return nil
	}
	return c.hash(name, d.Digest)
}

func (c checker) hash(name string, want v1.Hash) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	got, _, err := v1.SHA256(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s has the digest %s", name, got)
	}
	return nil
}

// platforms is what a lock says about the image.
func (s stored) platforms() ([]catalog.LockedPlatform, error) {
	index, err := parse(s.path, s.index.Digest, v1.ParseIndexManifest)
	if err != nil {
		return nil, err
	}
	if len(index.Manifests) != len(s.sboms) {
		return nil, fmt.Errorf("%s holds %d SBOMs for %d platforms", s.path, len(s.sboms), len(index.Manifests))
	}
	var all []catalog.LockedPlatform
	for i, m := range index.Manifests {
		all = append(all, catalog.LockedPlatform{Platform: m.Platform.String(), Digest: m.Digest.String(), SBOM: s.sboms[i].Digest.String()})
	}
	return all, nil
}

// Check reads all of an image in a folder of the cache and returns what is
// wrong with it. That the image is the locked one is for [Build] to check.
func Check(dir string) error {
	_, err := open(dir, true)
	return err
}
