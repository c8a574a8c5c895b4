package oci

import (
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// freeze copies an image into memory, byte for byte.
func freeze(img v1.Image) (v1.Image, error) {
	var f frozen
	var err error
	if f.manifest, err = img.RawManifest(); err != nil {
		return nil, fmt.Errorf("reading a bundle's manifest: %w", err)
	}
	if f.config, err = img.RawConfigFile(); err != nil {
		return nil, fmt.Errorf("reading a bundle's config: %w", err)
	}
	if f.mediaType, err = img.MediaType(); err != nil {
		return nil, fmt.Errorf("reading a bundle's media type: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading a bundle's layers: %w", err)
	}
	f.layers = make(map[v1.Hash]v1.Layer, len(layers))
	for _, layer := range layers {
		if err := f.add(layer); err != nil {
			return nil, err
		}
	}
	return partial.CompressedToImage(f)
}

// frozen is an image in memory.
type frozen struct {
	manifest, config []byte
	mediaType        types.MediaType
	layers           map[v1.Hash]v1.Layer
}

func (f frozen) add(layer v1.Layer) error {
	mediaType, err := layer.MediaType()
	if err != nil {
		return fmt.Errorf("reading a layer's media type: %w", err)
	}
	stream, err := layer.Compressed()
	if err != nil {
		return fmt.Errorf("opening a layer: %w", err)
	}
	content, err := io.ReadAll(stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return fmt.Errorf("reading a layer: %w", err)
	}
	kept := static.NewLayer(content, mediaType)
	digest, err := kept.Digest()
	if err != nil {
		return fmt.Errorf("hashing a layer: %w", err)
	}
	f.layers[digest] = kept
	return nil
}

func (f frozen) RawManifest() ([]byte, error)        { return f.manifest, nil }
func (f frozen) RawConfigFile() ([]byte, error)      { return f.config, nil }
func (f frozen) MediaType() (types.MediaType, error) { return f.mediaType, nil }
func (f frozen) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	layer, ok := f.layers[h]
	if !ok {
		return nil, fmt.Errorf("a bundle has no layer %s", h)
	}
	return compressedOnly{layer}, nil
}

// compressedOnly hides a static layer's DiffID, which is that of the
// compressed bytes.
type compressedOnly struct{ partial.CompressedLayer }
