package oci

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// plan is what a push has to look at, each thing once.
type plan struct {
	seen     map[v1.Hash]bool
	blobs    []v1.Layer
	blobSeen map[v1.Hash]bool
	// levels are manifests to send: everything of one level may go at once
	// when those before it are there.
	levels [][]*node
	bytes  int64
	// skipped is what the registry had before anything was sent.
	skipped Tally
}

func newPlan() *plan {
	return &plan{seen: map[v1.Hash]bool{}, blobSeen: map[v1.Hash]bool{}}
}

// add takes a node with all below it. What is missing is to be sent: its
// blobs here, its manifest by send.
func (p *plan) add(s *survey, send func(*node)) error {
	for _, child := range s.children {
		if err := p.add(child, send); err != nil {
			return err
		}
	}
	if p.seen[s.node.digest] {
		return nil
	}
	p.seen[s.node.digest] = true
	if s.present {
		return p.skip(s.node)
	}
	for _, blob := range s.node.blobs {
		if err := p.addBlob(blob); err != nil {
			return err
		}
	}
	send(s.node)
	return nil
}

// addLevel puts a manifest among those of its level.
func (p *plan) addLevel(n *node) {
	for len(p.levels) <= n.level {
		p.levels = append(p.levels, nil)
	}
	p.levels[n.level] = append(p.levels[n.level], n)
}

func (p *plan) addBlob(blob v1.Layer) error {
	digest, size, err := measure(blob)
	if err != nil || p.blobSeen[digest] {
		return err
	}
	p.blobSeen[digest] = true
	p.blobs = append(p.blobs, blob)
	p.bytes += size
	return nil
}

// skip counts a manifest that is there, and with it all that it refers to: a
// registry does not take a manifest without its parts.
func (p *plan) skip(n *node) error {
	p.skipped.Manifests++
	if err := n.expand(); err != nil {
		return err
	}
	for _, child := range n.children {
		if p.seen[child.digest] {
			continue
		}
		p.seen[child.digest] = true
		if err := p.skip(child); err != nil {
			return err
		}
	}
	for _, blob := range n.blobs {
		digest, size, err := measure(blob)
		if err != nil {
			return err
		}
		if !p.blobSeen[digest] {
			p.blobSeen[digest] = true
			p.skipped.Blobs++
			p.skipped.Bytes += size
		}
	}
	return nil
}

func measure(blob v1.Layer) (v1.Hash, int64, error) {
	digest, err := blob.Digest()
	if err != nil {
		return v1.Hash{}, 0, fmt.Errorf("hashing a layer: %w", err)
	}
	size, err := blob.Size()
	if err != nil {
		return v1.Hash{}, 0, fmt.Errorf("measuring the layer %s: %w", digest, err)
	}
	return digest, size, nil
}
