package oci

import (
	"context"
	"fmt"
	"net/http"

	imgpkgregistry "carvel.dev/imgpkg/pkg/imgpkg/registry"
	"github.com/google/go-containerregistry/pkg/name"
)

// imgpkgRegistry is imgpkg's access to registries over our transport.
// Reference says whose credentials must not be shown.
func imgpkgRegistry(ctx context.Context, reference string, r Registry) (*imgpkgregistry.SimpleRegistry, shower, error) {
	ref, err := name.ParseReference(reference, r.nameOptions()...)
	if err != nil {
		return nil, shower{}, badReference(reference, "HOST/PATH, with :TAG or @DIGEST for a bundle,", err)
	}
	_, secrets, err := r.authenticator(ctx, ref.Context())
	if err != nil {
		return nil, shower{}, err
	}
	base, err := r.transport()
	if err != nil {
		return nil, shower{}, err
	}
	registry, err := imgpkgregistry.NewSimpleRegistryWithTransport(r.options(), bound{ctx: ctx, next: base})
	if err != nil {
		return nil, shower{}, fmt.Errorf("setting up imgpkg: %w", err)
	}
	return registry, shower{repository: ref.Context(), secrets: secrets}, nil
}

// bound ends requests with a context. It stores one because imgpkg's library
// takes none and sends everything under context.Background.
type bound struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (b bound) RoundTrip(req *http.Request) (*http.Response, error) {
	return b.next.RoundTrip(req.WithContext(b.ctx))
}

// quiet drops what imgpkg has to say: errors come back as errors.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Tracef(string, ...any) {}
func (quiet) Logf(string, ...any)   {}
