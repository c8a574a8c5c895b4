package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// fromMirror fills dir with a locked image from the first mirror that has all of it, its
// SBOMs too, and tells whether one had. What keeps a mirror from it is reported, and then
// comes the next one; the only error is that of a context that ended.
func fromMirror(ctx context.Context, dir string, v *catalog.Version, locked catalog.LockedImage, mirrors []*oci.Mirror) (bool, error) {
	var sboms []string
	for _, p := range locked.Platforms {
		sboms = append(sboms, p.SBOM)
	}
	for _, m := range mirrors {
		err := m.Fetch(ctx, job(v, locked).Name, locked.Digest, sboms, func(index v1.ImageIndex, sboms []v1.Image) error {
			for i, sbom := range sboms {
				sboms[i] = bareImage{sbom}
			}
			if err := store(dir, bareIndex{index}, sboms); err != nil {
				return err
			}
			s, err := open(dir, false) // layers were hashed while they came
			if err != nil {
				return err
			}
			return compare(s, locked)
		})
		if err == nil {
			progress.From(ctx).Step("%s: image %s comes from the mirror %s", v.ID(), locked.Name, m.Name())
			return true, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return false, cause
		}
		if !errors.Is(err, oci.ErrLeftOut) {
			progress.From(ctx).Step("warning: %s: image %s does not come from the mirror %s: %v", v.ID(), locked.Name, m.Name(), err)
		}
		if err := clearFolder(dir); err != nil {
			return false, err
		}
	}
	return false, nil
}

// bareIndex and bareImage hide how a registry describes what it sent, so that the layout
// in the cache has the bytes that the compiler leaves.
type (
	bareIndex struct{ index }
	bareImage struct{ v1.Image }
)

// Image refuses a manifest without its digest before anything that it names is read:
// go-containerregistry believes a header about manifests of schema 1.
func (i bareIndex) Image(digest v1.Hash) (v1.Image, error) {
	img, err := i.index.Image(digest)
	if err != nil {
		return nil, err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return nil, err
	}
	if got, _, err := v1.SHA256(bytes.NewReader(manifest)); err != nil || got != digest {
		return nil, errors.Join(fmt.Errorf("the manifest %s has the digest %s", digest, got), err)
	}
	return img, nil
}

// clearFolder removes what is in a folder: the parts of an image that a mirror began to send.
func clearFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("removing what a mirror sent: %w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("removing what a mirror sent: %w", err)
		}
	}
	return nil
}
