package bundle

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// imagesLock is .imgpkg/images.yml: one entry for each way in which the
// manifests write a locked image, since kbld replaces only what equals an
// entry's id letter for letter.
func imagesLock(v *catalog.Version, canonical string, objects []manifest.Object, config map[string][]byte) ([]byte, error) {
	if v.Images == nil {
		return nil, fmt.Errorf("%s: missing; write it with %q", filepath.Join(v.Dir, catalog.ImagesLockFile), v.Relock())
	}
	var entries []oci.LockEntry
	for _, image := range v.Images.Images {
		ids := references(objects, image.Reference)
		if len(ids) == 0 {
			ids = textReferences(config, image.Reference)
		}
		if len(ids) == 0 {
			return nil, unusedImage(v, image)
		}
		for _, id := range ids {
			entries = append(entries, oci.LockEntry{Image: canonical + digestMarker + image.Digest, ID: id})
		}
	}
	lock, err := oci.ImagesLock(entries)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", imagesFile, err)
	}
	return lock, nil
}

func unusedImage(v *catalog.Version, image catalog.LockedImage) error {
	return fmt.Errorf("%s: images[name=%s].reference: no object of the upstream and no file of %s names %q; correct the reference or remove the image",
		filepath.Join(v.Package.Dir, catalog.PackageFile), image.Name, v.Package.Config(), image.Reference)
}

// relocated is the lock as "imgpkg pull" writes it beside a bundle that was
// fetched from another repository with the images at its side.
func relocated(b *Bundle, repository string) []byte {
	lock := b.Files[imagesFile]
	if repository == "" || repository == b.Canonical {
		return lock
	}
	return bytes.ReplaceAll(lock, []byte(" "+b.Canonical+digestMarker), []byte(" "+strings.TrimSuffix(repository, "/")+digestMarker))
}
