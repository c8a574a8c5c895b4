package oci

import (
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// node is a manifest and what it refers to.
type node struct {
	digest   v1.Hash
	manifest remote.Taggable
	image    v1.Image
	index    v1.ImageIndex
	// children come before their parent; all are sent before it.
	children []*node
	// blobs are an image's config and layers, or an index's own.
	blobs []v1.Layer
	// level is 0 for images and above that of all children for indexes.
	level int
	// present reports whether the registry has the manifest whole.
	present bool
}

// root makes the node of an artifact and checks the digest it promises.
func root(a Artifact) (*node, error) {
	n, err := nodeOf(a.Index, a.Image)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", a.Name, err)
	}
	if a.Digest != "" && a.Digest != n.digest.String() {
		return nil, fmt.Errorf("the digest of %s is %s, not %s as recorded; build it again", a.Name, n.digest, a.Digest)
	}
	return n, nil
}

func nodeOf(index v1.ImageIndex, image v1.Image) (*node, error) {
	n := &node{index: index, image: image}
	var err error
	switch {
	case index != nil && image == nil:
		n.manifest = index
		n.digest, err = index.Digest()
	case image != nil && index == nil:
		n.manifest = image
		n.digest, err = image.Digest()
	default:
		return nil, errors.New("expected exactly one of image and index")
	}
	return n, err
}

// expand reads the node's children and blobs.
func (n *node) expand() error {
	if n.image != nil {
		return n.expandImage()
	}
	parts, err := partial.Manifests(n.index)
	if err != nil {
		return fmt.Errorf("reading the index %s: %w", n.digest, err)
	}
	for _, part := range parts {
		if err := n.addPart(part); err != nil {
			return fmt.Errorf("reading the index %s: %w", n.digest, err)
		}
	}
	return nil
}

func (n *node) addPart(part partial.Describable) error {
	var child *node
	var err error
	switch part := part.(type) {
	case v1.Image:
		child, err = nodeOf(nil, part)
	case v1.ImageIndex:
		child, err = nodeOf(part, nil)
	case v1.Layer:
		n.blobs = append(n.blobs, part)
		return nil
	default:
		return fmt.Errorf("a part of type %T cannot be pushed", part)
	}
	if err != nil {
		return err
	}
	n.children = append(n.children, child)
	return nil
}

func (n *node) expandImage() error {
	layers, err := n.image.Layers()
	if err != nil {
		return fmt.Errorf("reading the layers of %s: %w", n.digest, err)
	}
	config, err := partial.ConfigLayer(n.image)
	if err != nil {
		return fmt.Errorf("reading the config of %s: %w", n.digest, err)
	}
	for _, layer := range append(layers, config) {
		mediaType, err := layer.MediaType()
		if err != nil {
			return fmt.Errorf("reading a layer of %s: %w", n.digest, err)
		}
		// Layers that may not be passed on stay where their URLs say.
		if mediaType.IsDistributable() {
			n.blobs = append(n.blobs, layer)
		}
	}
	return nil
}
