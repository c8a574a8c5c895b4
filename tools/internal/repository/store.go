package repository

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// Names within a cache folder.
const (
	objectsFile = "objects.jsonl"
	bundleFile  = "bundle.json"
	layoutDir   = "image"
)

func saveObjects(dir string, objects []manifest.Object) error {
	var text bytes.Buffer
	if err := manifest.EncodeCache(&text, objects); err != nil {
		return err
	}
	return write(filepath.Join(dir, objectsFile), text.Bytes())
}

func loadObjects(e *cache.Entry) ([]manifest.Object, error) {
	text, err := e.ReadFile(objectsFile)
	if err != nil {
		return nil, err
	}
	objects, err := manifest.DecodeCache(bytes.NewReader(text))
	return objects, cache.Damaged(err)
}

// storedBundle is what a bundle is beside its image, which stands next to it
// as an OCI layout and holds the files.
type storedBundle struct {
	Package, Version, Canonical, Name, Digest string
	Tags                                      []string
	PackageCR                                 []byte
	Namespace                                 *bundle.OwnNamespace
	Profiles                                  bundle.Profiles
	Origins                                   map[string]manifest.Origin
}

func saveBundle(dir string, b *bundle.Bundle) error {
	stored := storedBundle{
		Package: b.Package, Version: b.Version, Canonical: b.Canonical, Name: b.Image.Name,
		Digest: b.Digest, PackageCR: b.PackageCR, Tags: b.Image.Tags, Namespace: b.Namespace, Profiles: b.Profiles, Origins: b.Origins,
	}
	index, err := layout.Write(filepath.Join(dir, layoutDir), empty.Index)
	if err == nil {
		err = index.AppendImage(b.Image.Image)
	}
	if err != nil {
		return fmt.Errorf("keeping the bundle of %s %s: %w", b.Package, b.Version, err)
	}
	return save(filepath.Join(dir, bundleFile), stored)
}

func loadBundle(e *cache.Entry) (*bundle.Bundle, error) {
	dir, err := e.Whole()
	if err != nil {
		return nil, err
	}
	text, err := e.ReadFile(bundleFile)
	if err != nil {
		return nil, err
	}
	var stored storedBundle
	if err := json.Unmarshal(text, &stored); err != nil {
		return nil, cache.Damaged(err)
	}
	image, err := loadImage(filepath.Join(dir, layoutDir), stored.Digest)
	if err != nil {
		return nil, cache.Damaged(err)
	}
	files, err := unpack(image)
	if err != nil {
		return nil, cache.Damaged(err)
	}
	return &bundle.Bundle{
		Package: stored.Package, Version: stored.Version, Canonical: stored.Canonical, Digest: stored.Digest,
		PackageCR: stored.PackageCR, Files: files, Namespace: stored.Namespace, Profiles: stored.Profiles, Origins: stored.Origins,
		Image: oci.Artifact{Name: stored.Name, Digest: stored.Digest, Tags: stored.Tags, Image: image},
	}, nil
}

func loadImage(dir, digest string) (v1.Image, error) {
	hash, err := v1.NewHash(digest)
	if err != nil {
		return nil, err
	}
	index, err := layout.FromPath(dir)
	if err != nil {
		return nil, err
	}
	return index.Image(hash)
}

// unpack reads the files of a bundle's image, which has one layer.
func unpack(image v1.Image) (_ map[string][]byte, err error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	if len(layers) != 1 {
		return nil, fmt.Errorf("a bundle has one layer, this one %d", len(layers))
	}
	stream, err := layers[0].Uncompressed()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	files := map[string][]byte{}
	for archive := tar.NewReader(stream); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			return nil, err
		}
	}
}

func save(file string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding %s for the cache: %w", filepath.Base(file), err)
	}
	return write(file, text)
}

func write(file string, text []byte) error {
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("writing to the cache: %w", err)
	}
	return nil
}
