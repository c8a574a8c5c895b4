package image

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/strake-dev/strake/tools/internal/oci"
)

// checkedIndex is an index of the cache whose layers are hashed when somebody
// reads them: [Build] compares their sizes alone, since most are in the
// registry already and are never read.
type checkedIndex struct {
	index
	heal func(v1.Layer) error
}

// Image returns an image of the index with checked layers.
func (i checkedIndex) Image(digest v1.Hash) (v1.Image, error) {
	img, err := i.index.Image(digest)
	if err != nil {
		return nil, err
	}
	return checkedImage{img, i.heal}, nil
}

// ImageIndex returns an index below this one with checked layers.
func (i checkedIndex) ImageIndex(digest v1.Hash) (v1.ImageIndex, error) {
	below, err := i.index.ImageIndex(digest)
	if err != nil {
		return nil, err
	}
	return checkedIndex{below, i.heal}, nil
}

// index has a name of its own, since v1.ImageIndex has a method ImageIndex.
type index = v1.ImageIndex

type checkedImage struct {
	v1.Image
	heal func(v1.Layer) error
}

// Layers returns checked layers.
func (i checkedImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	for n, layer := range layers {
		layers[n] = checkedLayer{layer, i.heal}
	}
	return layers, err
}

// LayerByDigest returns a checked layer.
func (i checkedImage) LayerByDigest(digest v1.Hash) (v1.Layer, error) {
	layer, err := i.Image.LayerByDigest(digest)
	return checkedLayer{layer, i.heal}, err
}

// LayerByDiffID returns a checked layer.
func (i checkedImage) LayerByDiffID(digest v1.Hash) (v1.Layer, error) {
	layer, err := i.Image.LayerByDiffID(digest)
	return checkedLayer{layer, i.heal}, err
}

type checkedLayer struct {
	v1.Layer
	heal func(v1.Layer) error
}

// Compressed opens the layer after its content was found to be what its digest
// says, or was made again.
func (l checkedLayer) Compressed() (io.ReadCloser, error) {
	if err := l.heal(l.Layer); err != nil {
		return nil, err
	}
	return l.Layer.Compressed()
}

// Uncompressed does what Compressed does.
func (l checkedLayer) Uncompressed() (io.ReadCloser, error) {
	if err := l.heal(l.Layer); err != nil {
		return nil, err
	}
	return l.Layer.Uncompressed()
}

// checked returns the artifact with layers that are hashed when somebody reads
// them; rebuild makes the image again where one is damaged, which gives the
// same digests.
func checked(a oci.Artifact, rebuild func() error) oci.Artifact {
	heal := func(layer v1.Layer) error {
		if intact(layer) {
			return nil
		}
		return rebuild()
	}
	a.Index = checkedIndex{a.Index, heal}
	for i := range a.Attached {
		a.Attached[i].Image = checkedImage{a.Attached[i].Image, heal}
	}
	return a
}

// intact tells whether the bytes of a layer have its digest.
func intact(layer v1.Layer) bool {
	want, err := layer.Digest()
	if err != nil {
		return false
	}
	stream, err := layer.Compressed()
	if err != nil {
		return false
	}
	defer stream.Close()
	got, _, err := v1.SHA256(stream)
	return err == nil && got == want
}
