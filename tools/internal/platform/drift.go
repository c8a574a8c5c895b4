package platform

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
	"github.com/strake-dev/strake/tools/internal/devcluster/kapp"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// Drift returns what kapp would change now if kapp-controller reconciled an install:
// the version of the checkout is rendered with the values and overlays that the
// install has on the cluster, and compared with the objects there. It writes
// nothing. The error of a version that the checkout does not have, or has with
// other content, names the remedy.
func Drift(ctx context.Context, c *catalog.Catalog, client *install.Client, at kapp.Target, s install.Status) ([]kapp.Change, error) {
	objects, err := desired(ctx, c, client, s)
	if err != nil {
		return nil, err
	}
	var manifests bytes.Buffer
	if err := manifest.Encode(&manifests, objects); err != nil {
		return nil, err
	}
	at.App, at.Namespace = s.Name+".app", s.Namespace
	return kapp.Diff(ctx, at, manifests.Bytes())
}

// desired are the objects that kapp-controller gives to kapp for an install.
func desired(ctx context.Context, c *catalog.Catalog, client *install.Client, s install.Status) ([]manifest.Object, error) {
	found, err := c.Select([]string{strings.TrimSuffix(s.Package, "."+c.Repository.Domain) + "@" + s.Version})
	if err != nil {
		return nil, fmt.Errorf("%w; use the checkout from which the cluster's repository was pushed", err)
	}
	b, err := repository.BuildVersion(ctx, c, found[0], repository.Options{})
	if err != nil {
		return nil, err
	}
	from, digest, _ := strings.Cut(s.Bundle, "@")
	if digest != b.Digest {
		return nil, fmt.Errorf("the cluster runs %s from the bundle %s, and the checkout makes %s; use the checkout from which the cluster's repository was pushed", found[0].ID(), digest, b.Digest)
	}
	given, err := client.Inputs(ctx, s.Namespace, s.Name)
	if err != nil {
		return nil, err
	}
	inputs := make([]manifest.Object, 0, len(given))
	for _, o := range given {
		inputs = append(inputs, manifest.Object{Unstructured: o})
	}
	values, overlays, err := environment.Inputs(inputs)
	if err != nil {
		return nil, err
	}
	return bundle.Render(ctx, b, values, bundle.RenderOptions{Repository: from, Overlays: overlays})
}
