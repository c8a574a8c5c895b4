package oci

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// plan is all that a push has to look at, each thing once.
type plan struct {
	// nodes are the manifests of the artifacts, children before parents.
	nodes []*node
	// attached are the manifests that hang on each artifact, in the order in
	// which they are sent.
	attached [][]*node
	blobs    []*blob

	nodeOf map[v1.Hash]*node
	blobOf map[v1.Hash]*blob
}

// blob is a layer or a config.
type blob struct {
	layer  v1.Layer
	digest v1.Hash
	size   int64
	// there is the size that the registry has it with, or -1.
	there int64
}

func (b *blob) present() bool { return b.there == b.size }

// planOf reads what artifacts consist of.
func planOf(artifacts []Artifact) (*plan, error) {
	p := &plan{nodeOf: map[v1.Hash]*node{}, blobOf: map[v1.Hash]*blob{}}
	for _, a := range artifacts {
		n, err := root(a)
		if err != nil {
			return nil, err
		}
		if n, err = p.add(n); err != nil {
			return nil, err
		}
		p.nodes = append(p.nodes, n)
	}
	p.nodes = inOrder(p.nodes)
	for _, a := range artifacts {
		var group []*node
		for _, extra := range attachedTo(a) {
			n, err := root(extra)
			if err != nil {
				return nil, err
			}
			if n, err = p.add(n); err != nil {
				return nil, err
			}
			group = append(group, n)
		}
		p.attached = append(p.attached, group)
	}
	return p, nil
}

// add reads a node with all below it, and returns the one that stands for its
// digest.
func (p *plan) add(n *node) (*node, error) {
	if known := p.nodeOf[n.digest]; known != nil {
		return known, nil
	}
	p.nodeOf[n.digest] = n
	if err := n.expand(); err != nil {
		return nil, err
	}
	for i, child := range n.children {
		known, err := p.add(child)
		if err != nil {
			return nil, err
		}
		n.children[i] = known
		n.level = max(n.level, known.level+1)
	}
	for _, layer := range n.blobs {
		if err := p.addBlob(layer); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (p *plan) addBlob(layer v1.Layer) error {
	digest, err := layer.Digest()
	if err != nil {
		return fmt.Errorf("hashing a layer: %w", err)
	}
	if p.blobOf[digest] != nil {
		return nil
	}
	size, err := layer.Size()
	if err != nil {
		return fmt.Errorf("measuring the layer %s: %w", digest, err)
	}
	b := &blob{layer: layer, digest: digest, size: size, there: -1}
	p.blobOf[digest] = b
	p.blobs = append(p.blobs, b)
	return nil
}

// inOrder are the nodes and all below them, each once and after its children.
func inOrder(roots []*node) []*node {
	var list []*node
	seen := map[*node]bool{}
	var visit func(n *node)
	visit = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, child := range n.children {
			visit(child)
		}
		list = append(list, n)
	}
	for _, n := range roots {
		visit(n)
	}
	return list
}

// levels are the manifests to send: everything of one level may go at once
// when those before it are there.
func (p *plan) levels() [][]*node {
	var levels [][]*node
	for _, n := range p.nodes {
		if n.present {
			continue
		}
		for len(levels) <= n.level {
			levels = append(levels, nil)
		}
		levels[n.level] = append(levels[n.level], n)
	}
	return levels
}

// missing are the blobs to send, with the sum of their bytes.
func (p *plan) missing() (blobs []*blob, bytes int64) {
	for _, b := range p.blobs {
		if !b.present() {
			blobs = append(blobs, b)
			bytes += b.size
		}
	}
	return blobs, bytes
}

// skipped is what the registry has whole.
func (p *plan) skipped() Tally {
	var t Tally
	for _, n := range p.nodeOf {
		if n.present {
			t.Manifests++
		}
	}
	for _, b := range p.blobs {
		if b.present() {
			t.Blobs++
			t.Bytes += b.size
		}
	}
	return t
}
