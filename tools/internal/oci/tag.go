package oci

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
)

// tagging is a tag to set.
type tagging struct {
	tag  name.Tag
	node *node
}

// tagsOf checks all tags before anything is sent.
func (m *Remote) tagsOf(artifacts []Artifact) ([]tagging, error) {
	var tags []tagging
	owner := map[string]*node{}
	var all []Artifact
	for _, a := range artifacts {
		all = append(append(all, a), attachedTo(a)...)
	}
	for _, a := range all {
		n, err := root(a)
		if err != nil {
			return nil, err
		}
		for _, t := range a.Tags {
			tag, err := m.tag(t)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
			if other := owner[t]; other != nil && other.digest != n.digest {
				return nil, fmt.Errorf("the tag %s is wanted for %s and for %s; give them different tags", t, other.digest, n.digest)
			}
			owner[t] = n
			tags = append(tags, tagging{tag: tag, node: n})
		}
	}
	return tags, nil
}

func (p *push) setTag(ctx context.Context, t tagging) error {
	found, err := p.head(ctx, t.tag)
	if err != nil {
		return fmt.Errorf("asking for the tag %s: %w", t.tag.TagStr(), err)
	}
	if found != nil && found.Digest == t.node.digest {
		return nil
	}
	if err := p.pusher.Put(ctx, t.tag, t.node.manifest); err != nil {
		return fmt.Errorf("setting the tag %s: %w", t.tag.TagStr(), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Tagged = append(p.report.Tagged, t.tag.TagStr())
	return nil
}
