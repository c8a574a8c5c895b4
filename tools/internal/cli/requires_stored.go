package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// storedFaults says of which CRDs the cluster stores objects in
// versions that the packages no longer have.
func storedFaults(ctx context.Context, client *install.Client, c *catalog.Catalog, versions []*catalog.Version) ([]error, error) {
	var faults []error
	for _, v := range versions {
		definitions, err := definitionsOf(ctx, c, v)
		if err != nil {
			return nil, err
		}
		for _, crd := range definitions {
			dropped, err := client.Dropped(ctx, crd.Unstructured)
			if err != nil {
				return nil, err
			}
			if names := strings.Join(dropped, ", "); names != "" {
				faults = append(faults, fmt.Errorf("the cluster stores objects of the CRD %s as %s, which %s no longer has: write them again, then remove %s from the CRD's status.storedVersions",
					crd.GetName(), names, v.ID(), names))
			}
		}
	}
	return faults, nil
}

// definitionsOf are the CRDs of a version with its default values.
func definitionsOf(ctx context.Context, c *catalog.Catalog, v *catalog.Version) ([]manifest.Object, error) {
	b, err := repository.BuildVersion(ctx, c, v.StandIn(), repository.Options{})
	if err != nil {
		return nil, err
	}
	objects, err := bundle.Render(ctx, b, nil, bundle.RenderOptions{})
	if err != nil {
		return nil, err
	}
	var definitions []manifest.Object
	for _, o := range objects {
		if o.GetKind() == "CustomResourceDefinition" {
			definitions = append(definitions, o)
		}
	}
	return definitions, nil
}
