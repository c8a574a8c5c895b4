package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"carvel.dev/imgpkg/pkg/imgpkg/bundle"
	"carvel.dev/imgpkg/pkg/imgpkg/registry"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// BundleImage is the image that "imgpkg push -b" makes of files (content by
// slash path), digest for digest: imgpkg's own code packs and checks it, and
// only the upload is replaced. The image is held in memory.
//
// Every file gets mode 0600 and every folder 0700, as imgpkg gives to what a
// checkout holds. Files must include ".imgpkg/images.yml"; see [ImagesLock].
func BundleImage(files map[string][]byte) (_ v1.Image, err error) {
	dir, err := os.MkdirTemp("", "strake-bundle-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to pack a bundle in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := writeFiles(dir, files); err != nil {
		return nil, err
	}
	// The tag is never used: imgpkg asks for one because it uploads.
	tag, err := name.NewTag("bundle.invalid/bundle:latest")
	if err != nil {
		return nil, fmt.Errorf("naming a bundle: %w", err)
	}
	kept := &keeper{}
	contents := bundle.NewContents([]string{dir}, nil, false)
	if _, err := contents.Push(tag, nil, kept, quiet{}); err != nil {
		return nil, fmt.Errorf("packing a bundle of %d files: %w", len(files), err)
	}
	return kept.image, nil
}

func writeFiles(dir string, files map[string][]byte) error {
	for path, content := range files {
		// ValidPath refuses "..", absolute and unclean paths.
		if !fs.ValidPath(path) {
			return fmt.Errorf("packing a bundle: %q is not a clean relative path with forward slashes", path)
		}
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fmt.Errorf("packing a bundle: making the folder of %s: %w", path, err)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return fmt.Errorf("packing a bundle: writing %s: %w", path, err)
		}
	}
	return nil
}

// keeper stands where imgpkg expects a registry and keeps the image that
// should be uploaded. The embedded interface is nil on purpose: packing calls
// nothing else.
type keeper struct {
	registry.Registry
	image v1.Image
}

// WriteImage reads the whole image, since imgpkg deletes its file afterwards.
func (k *keeper) WriteImage(_ name.Reference, img v1.Image, _ chan v1.Update) (err error) {
	k.image, err = freeze(img)
	return err
}

// WriteTag does nothing.
func (k *keeper) WriteTag(name.Tag, remote.Taggable) error { return nil }
