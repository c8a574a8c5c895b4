package repository

import (
	"context"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// renderedFormat changes when [bundle.Render] begins to make other objects of
// equal bundles and values.
const renderedFormat = "1"

// Render answers with what [bundle.Render] makes of a version's bundle, from the
// cache where the same has been rendered before.
func Render(ctx context.Context, c *catalog.Catalog, v *catalog.Version, values []bundle.ValuesFile, o bundle.RenderOptions) ([]manifest.Object, error) {
	key, err := bundleKey(c.Repository, v)
	if err != nil {
		return nil, err
	}
	key, err = hash(v, renderedFormat, libraries(), key, values, o)
	if err != nil {
		return nil, err
	}
	return cache.Use(ctx, RenderedKind, key, func(dir string) error {
		b, err := BuildVersion(ctx, c, v, Options{})
		if err != nil {
			return err
		}
		objects, err := bundle.Render(ctx, b, values, o)
		if err != nil {
			return err
		}
		return saveObjects(dir, objects)
	}, loadObjects)
}
