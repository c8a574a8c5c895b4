package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"carvel.dev/imgpkg/pkg/imgpkg/bundle"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// maxLayers is what overlay file systems can stack; no image has more.
const maxLayers = 500

// fetchedImage is an image of a registry, or an index, which has no image.
type fetchedImage struct {
	image     v1.Image
	at        name.Digest
	mediaType types.MediaType
}

// newFetchedImage checks the sizes that the manifest promises, to which the
// downloads are held.
func newFetchedImage(image v1.Image, at name.Digest) (*fetchedImage, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	if manifest.Config.Size > untrusted.File {
		return nil, fmt.Errorf("its config has %d bytes, more than %s: %w", manifest.Config.Size, untrusted.Size(untrusted.File), untrusted.ErrLimit)
	}
	if len(manifest.Layers) > maxLayers {
		return nil, fmt.Errorf("it has %d layers, more than %d: %w", len(manifest.Layers), maxLayers, untrusted.ErrLimit)
	}
	total, most := int64(0), untrusted.Default().Archive
	for _, layer := range manifest.Layers {
		// Each one by itself, too: sizes may be negative or overflow.
		if total += layer.Size; layer.Size < 0 || layer.Size > most || total > most {
			return nil, fmt.Errorf("its layers have more than %s: %w", untrusted.Size(most), untrusted.ErrLimit)
		}
	}
	return &fetchedImage{image: image, at: at, mediaType: manifest.MediaType}, nil
}

// isBundle tells imgpkg's bundles from other images.
func (i *fetchedImage) isBundle() (bool, error) {
	if i.image == nil {
		return false, nil
	}
	config, err := i.image.ConfigFile()
	if err != nil {
		return false, err
	}
	_, found := config.Config.Labels[bundle.BundleConfigLabel]
	return found, nil
}

// unpack downloads all layers, which checks their digests, and only then
// unpacks them into dir.
func (i *fetchedImage) unpack(ctx context.Context, tmp, dir string) error {
	if i.image == nil {
		return fmt.Errorf("%s is a %s, not an image; refer to the image of one platform by its digest", i.at, i.mediaType)
	}
	layers, err := i.image.Layers()
	if err != nil {
		return err
	}
	blobs, err := os.MkdirTemp(tmp, "layers-")
	if err != nil {
		return fmt.Errorf("making a folder for layers: %w", err)
	}
	defer func() { _ = os.RemoveAll(blobs) }()
	var files []string
	for n, layer := range layers {
		file := filepath.Join(blobs, strconv.Itoa(n))
		if err := download(layer, file); err != nil {
			return err
		}
		files = append(files, file)
	}
	// A bundle may have files where one that it names belongs.
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return fmt.Errorf("making the folder of an image: %w", err)
	}
	if err := untrusted.UnpackLayers(ctx, files, dir, untrusted.Default()); err != nil {
		return fmt.Errorf("unpacking %s: %w; use an image of files alone, as \"imgpkg push\" makes them", i.at, err)
	}
	return nil
}

func download(layer v1.Layer, file string) (err error) {
	content, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	blob, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("keeping a layer: %w", err)
	}
	defer func() { err = errors.Join(err, blob.Close()) }()
	_, err = io.Copy(blob, content)
	return err
}
