package image

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// lockUpstream asks the upstream's registries what the version's images are.
func lockUpstream(ctx context.Context, v *catalog.Version, o Options) (*catalog.ImagesLock, error) {
	images, err := each(ctx, o, v.Offered(), func(ctx context.Context, img catalog.Image) (catalog.LockedImage, error) {
		reference, err := published(v, img)
		if err != nil {
			return catalog.LockedImage{}, fmt.Errorf("locking image %s of %s from its upstream: %w", img.Name, v.ID(), err)
		}
		progress.From(ctx).Step("%s: resolving %s", v.ID(), reference)
		found, err := oci.Resolve(ctx, reference, o.Registry, o.Platforms)
		if err != nil {
			return catalog.LockedImage{}, fmt.Errorf("locking image %s of %s from its upstream: %w", img.Name, v.ID(), err)
		}
		return lockedUpstream(img, found), nil
	})
	if err != nil {
		return nil, err
	}
	return &catalog.ImagesLock{Source: catalog.FromUpstream, Images: images}, nil
}

func lockedUpstream(img catalog.Image, found oci.Resolved) catalog.LockedImage {
	locked := catalog.LockedImage{Name: img.Name, Reference: img.Reference, Digest: found.Digest}
	for _, p := range found.Platforms {
		locked.Platforms = append(locked.Platforms, catalog.LockedPlatform{Platform: p.Platform, Digest: p.Digest})
	}
	return locked
}

// fetchUpstream answers with a locked upstream image; its layers stay in the
// registry until something reads them.
func fetchUpstream(ctx context.Context, v *catalog.Version, img catalog.Image, locked catalog.LockedImage, o Options) (oci.Artifact, error) {
	text, err := published(v, img)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("naming the upstream's image %s of %s: %w", img.Name, v.ID(), err)
	}
	reference, err := name.ParseReference(text)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("reading the upstream reference of image %s of %s: %w", img.Name, v.ID(), err)
	}
	want := oci.Resolved{Digest: locked.Digest}
	for _, p := range locked.Platforms {
		want.Platforms = append(want.Platforms, oci.ResolvedPlatform{Platform: p.Platform, Digest: p.Digest})
	}
	a, err := oci.Upstream(ctx, reference.Context().Name(), want, o.Registry)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("fetching image %s of %s from its upstream: %w", img.Name, v.ID(), err)
	}
	a.Name = v.ID() + " " + img.Name
	return a, nil
}

// published is the reference of the upstream project's own image.
func published(v *catalog.Version, img catalog.Image) (string, error) {
	v, img = v.Maker(img)
	pattern := img.Published
	if pattern == "" {
		pattern = img.Reference + ":${VERSION}"
	}
	const ofModule = "${MODULE_VERSION}"
	if strings.Contains(pattern, ofModule) {
		version, err := v.ModuleVersion(img.Command)
		if err != nil {
			return "", err
		}
		pattern = strings.ReplaceAll(pattern, ofModule, version)
	}
	return strings.ReplaceAll(pattern, "${VERSION}", v.Upstream), nil
}
