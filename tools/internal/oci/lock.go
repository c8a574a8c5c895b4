package oci

import (
	"fmt"

	"carvel.dev/imgpkg/pkg/imgpkg/lockconfig"
	"github.com/google/go-containerregistry/pkg/name"
)

// idAnnotation tells kbld which reference of the manifests an entry is for;
// kbld refuses entries without it.
const idAnnotation = "kbld.carvel.dev/id"

// LockEntry is one image of an ImagesLock.
type LockEntry struct {
	// Image is the image by digest, HOST/PATH@sha256:….
	Image string
	// ID is the reference as it stands in the manifests: the annotation
	// kbld.carvel.dev/id. A package's images need it; the bundles that a
	// repository names do not.
	ID string
}

// ImagesLock writes a .imgpkg/images.yml, in the order of entries. Two
// manifest references of one image become two entries, as kbld wants them.
// An entry that is not by digest is an error.
func ImagesLock(entries []LockEntry) ([]byte, error) {
	lock := lockconfig.NewEmptyImagesLock()
	for _, e := range entries {
		ref := lockconfig.ImageRef{Image: e.Image}
		if e.ID != "" {
			ref.Annotations = map[string]string{idAnnotation: e.ID}
		}
		lock.Images = append(lock.Images, ref)
	}
	content, err := lock.AsBytes()
	if err != nil {
		return nil, fmt.Errorf("writing an ImagesLock of %d images: %w", len(entries), err)
	}
	return content, nil
}

// ParseImagesLock reads a .imgpkg/images.yml strictly: unknown fields and
// images that are not named by digest are errors.
func ParseImagesLock(content []byte) ([]LockEntry, error) {
	lock, err := lockconfig.NewImagesLockFromBytes(content)
	if err != nil {
		return nil, fmt.Errorf("reading an ImagesLock: %w", err)
	}
	entries := make([]LockEntry, 0, len(lock.Images))
	for _, image := range lock.Images {
		// imgpkg leaves short names ("nginx@…") expanded; they must still parse.
		if _, err := name.NewDigest(image.Image); err != nil {
			return nil, fmt.Errorf("reading an ImagesLock: image %q: %w", image.Image, err)
		}
		entries = append(entries, LockEntry{Image: image.Image, ID: image.Annotations[idAnnotation]})
	}
	return entries, nil
}
