package oci

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"
)

// Pin returns what reference (HOST/PATH, with :TAG or @DIGEST) is in the
// registry now, as HOST/PATH@DIGEST.
func Pin(ctx context.Context, reference string, r Registry) (string, error) {
	ref, err := name.ParseReference(reference, r.nameOptions()...)
	if err != nil {
		return "", badReference(reference, "HOST/PATH:TAG or HOST/PATH@DIGEST", err)
	}
	if digest, ok := ref.(name.Digest); ok {
		return digest.Name(), nil
	}
	m, err := open(ctx, ref.Context(), r)
	if err != nil {
		return "", err
	}
	found, err := m.Resolve(ctx, ref.Identifier())
	if err != nil {
		return "", err
	}
	return ref.Context().Digest(found.Digest.String()).Name(), nil
}

// Tags lists the tags of a repository, HOST/PATH.
func Tags(ctx context.Context, repository string, r Registry) ([]string, error) {
	repo, err := name.NewRepository(repository, r.nameOptions()...)
	if err != nil {
		return nil, badReference(repository, "HOST/PATH", err)
	}
	m, err := open(ctx, repo, r)
	if err != nil {
		return nil, err
	}
	puller, err := m.puller(ctx)
	if err != nil {
		return nil, m.shower.show(ctx, "listing the tags of", err)
	}
	tags, err := puller.List(ctx, repo)
	return tags, m.shower.show(ctx, "listing the tags of", err)
}
