package oci

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// survey asks for every manifest and every blob. A manifest that is there
// does not vouch for its blobs: they may have been damaged since. What has
// another size than it must have counts as missing.
func (p *push) survey(ctx context.Context, work *plan) error {
	nodes := make([]*node, 0, len(work.nodeOf))
	for _, n := range work.nodeOf {
		nodes = append(nodes, n)
	}
	err := p.each(ctx, len(nodes), func(ctx context.Context, i int) error { return p.askManifest(ctx, nodes[i]) })
	if err != nil {
		return err
	}
	return p.each(ctx, len(work.blobs), func(ctx context.Context, i int) error { return p.askBlob(ctx, work.blobs[i]) })
}

func (p *push) askManifest(ctx context.Context, n *node) error {
	found, err := p.head(ctx, p.remote.repository.Digest(n.digest.String()))
	if err != nil && !unreadable(err) {
		return fmt.Errorf("asking for %s: %w", n.digest, err)
	}
	raw, err := n.manifest.RawManifest()
	if err != nil {
		return fmt.Errorf("reading the manifest %s: %w", n.digest, err)
	}
	n.present = found != nil && found.Size == int64(len(raw))
	return nil
}

func (p *push) askBlob(ctx context.Context, b *blob) error {
	layer, err := p.puller.Layer(ctx, p.remote.repository.Digest(b.digest.String()))
	if err != nil {
		return fmt.Errorf("asking for the blob %s: %w", b.digest, err)
	}
	size, err := layer.Size()
	switch {
	case absent(err):
		b.there = -1
	case err != nil:
		return fmt.Errorf("asking for the blob %s: %w", b.digest, err)
	case size < 0:
		// Some registries do not say the size.
		b.there = b.size
	default:
		b.there = size
	}
	return nil
}

// head returns nil where nothing is.
func (p *push) head(ctx context.Context, ref name.Reference) (*v1.Descriptor, error) {
	found, err := p.puller.Head(ctx, ref)
	if absent(err) {
		return nil, nil
	}
	return found, err
}

// absent reports whether a registry says that it does not have something.
// Some say 403 in the place of 404; if it is meant, the upload will be told
// as well.
func absent(err error) bool {
	code := statusOf(err)
	return code == http.StatusNotFound || code == http.StatusForbidden
}

// unreadable reports whether a registry fails on what it was asked for, as
// distribution does on a manifest that is damaged.
func unreadable(err error) bool { return statusOf(err) == http.StatusInternalServerError }
