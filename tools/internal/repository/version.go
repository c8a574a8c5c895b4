package repository

import (
	"context"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// The folders of the cache that are filled here, each with an entry for each
// hash of what it was made from.
const (
	ManifestsKind = "manifests"
	BundlesKind   = "bundles"
	RenderedKind  = "rendered"
)

// BuildVersion makes the bundle of one version, published or not.
func BuildVersion(ctx context.Context, c *catalog.Catalog, v *catalog.Version, o Options) (*bundle.Bundle, error) {
	if o.Fresh {
		return o.building.do(v, func() (*bundle.Bundle, error) { return buildBundle(ctx, c, v, o) })
	}
	key, err := bundleKey(c.Repository, v)
	if err != nil {
		return nil, err
	}
	return cache.Use(ctx, BundlesKind, key, func(dir string) error {
		b, err := buildBundle(ctx, c, v, o)
		if err != nil {
			return err
		}
		return saveBundle(dir, b)
	}, loadBundle)
}

func buildBundle(ctx context.Context, c *catalog.Catalog, v *catalog.Version, o Options) (*bundle.Bundle, error) {
	objects, err := Objects(ctx, v, o)
	if err != nil {
		return nil, err
	}
	var installed []*bundle.Bundle
	for _, other := range contained(c.Repository, v) {
		b, err := BuildVersion(ctx, c, other, o)
		if err != nil {
			return nil, err
		}
		installed = append(installed, b)
	}
	progress.From(ctx).Step("bundling %s", v.ID())
	return bundle.Build(ctx, v, c.Repository, objects, installed...)
}

// contained are the versions of whose bundles that of v is made: those that it
// installs, and the published ones that are older, which its values may select.
func contained(repo catalog.Repository, v *catalog.Version) []*catalog.Version {
	var versions []*catalog.Version
	for _, other := range v.Installed() {
		versions = append(append(versions, other), repo.Older(other)...)
	}
	return versions
}

// Objects are what the upstream of a version renders to, before the
// package's own overlays: none where the package has no upstream.
func Objects(ctx context.Context, v *catalog.Version, o Options) ([]manifest.Object, error) {
	if len(v.Package.Manifests) == 0 {
		return nil, nil
	}
	if o.Fresh {
		return render(ctx, v)
	}
	key, err := objectsKey(v)
	if err != nil {
		return nil, err
	}
	return cache.Use(ctx, ManifestsKind, key, func(dir string) error {
		objects, err := render(ctx, v)
		if err != nil {
			return err
		}
		return saveObjects(dir, objects)
	}, loadObjects)
}

func render(ctx context.Context, v *catalog.Version) ([]manifest.Object, error) {
	sources, err := upstream.Fetch(ctx, v)
	if err != nil {
		return nil, err
	}
	progress.From(ctx).Step("rendering %s", v.ID())
	return manifest.Render(ctx, sources.Dir, v.Manifests())
}
