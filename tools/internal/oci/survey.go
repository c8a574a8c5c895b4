package oci

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// survey is what the registry has of a node.
type survey struct {
	node     *node
	present  bool
	children []*survey
}

// surveyAll asks for every artifact, and below those that are missing.
func (p *push) surveyAll(ctx context.Context, artifacts []Artifact) ([]*survey, error) {
	surveys := make([]*survey, len(artifacts))
	err := p.each(ctx, len(artifacts), func(ctx context.Context, i int) error {
		n, err := root(artifacts[i])
		if err != nil {
			return err
		}
		surveys[i], err = p.survey(ctx, n)
		return err
	})
	return surveys, err
}

func (p *push) survey(ctx context.Context, n *node) (*survey, error) {
	found, err := p.head(ctx, p.remote.repository.Digest(n.digest.String()))
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", n.digest, err)
	}
	s := &survey{node: n, present: found != nil}
	if s.present {
		return s, nil
	}
	if err := n.expand(); err != nil {
		return nil, err
	}
	for _, child := range n.children {
		below, err := p.survey(ctx, child)
		if err != nil {
			return nil, err
		}
		s.children = append(s.children, below)
		n.level = max(n.level, child.level+1)
	}
	return s, nil
}

// head answers with nil where nothing is. Some registries say 403 in the
// place of 404; if it is meant, the upload will be told as well.
func (p *push) head(ctx context.Context, ref name.Reference) (*v1.Descriptor, error) {
	found, err := p.puller.Head(ctx, ref)
	if code := statusOf(err); code == http.StatusNotFound || code == http.StatusForbidden {
		return nil, nil
	}
	return found, err
}
