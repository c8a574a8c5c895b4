package oci

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// attachedTo lists what hangs on an artifact, directly or not, each thing
// after what it hangs on.
func attachedTo(a Artifact) []Artifact {
	var all []Artifact
	for _, extra := range a.Attached {
		all = append(append(all, extra), attachedTo(extra)...)
	}
	return all
}

// attach sends the manifests that name others as their subject. Those of one
// artifact go one by one: a registry without the referrers API keeps the list
// in a manifest that each of them rewrites.
func (p *push) attach(ctx context.Context, groups [][]*node) error {
	return p.each(ctx, len(groups), func(ctx context.Context, i int) error {
		for _, n := range groups[i] {
			if err := p.attachOne(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *push) attachOne(ctx context.Context, n *node) error {
	if !n.present {
		return p.put(ctx, n)
	}
	// It is there, but an earlier run may have ended before it was listed.
	listed, err := p.listed(ctx, n)
	if err != nil || listed {
		return err
	}
	return p.put(ctx, n)
}

// listed reports whether the registry names the node among its subject's
// referrers.
func (p *push) listed(ctx context.Context, n *node) (bool, error) {
	if n.image == nil {
		return true, nil
	}
	manifest, err := n.image.Manifest()
	if err != nil {
		return false, fmt.Errorf("reading the manifest %s: %w", n.digest, err)
	}
	if manifest.Subject == nil {
		return true, nil
	}
	subject := p.remote.repository.Digest(manifest.Subject.Digest.String())
	index, err := remote.Referrers(subject, append(p.options, remote.WithContext(ctx))...)
	if err != nil {
		return false, fmt.Errorf("asking what is attached to %s: %w", manifest.Subject.Digest, err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return false, fmt.Errorf("reading what is attached to %s: %w", manifest.Subject.Digest, err)
	}
	for _, d := range list.Manifests {
		if d.Digest == n.digest {
			return true, nil
		}
	}
	return false, nil
}
