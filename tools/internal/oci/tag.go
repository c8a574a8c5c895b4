package oci

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// tagging is a tag to set.
type tagging struct {
	tag  name.Tag
	node *node
	name string // of the artifact
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
				return nil, fmt.Errorf("the tag %s is used for %s and for %s; give them different tags", t, other.digest, n.digest)
			}
			owner[t] = n
			tags = append(tags, tagging{tag: tag, node: n, name: a.Name})
		}
	}
	return tags, nil
}

// TagsTakenError is a push that would have moved tags to other content.
type TagsTakenError struct {
	// Repository is HOST/PATH.
	Repository string
	Tags       []TakenTag
}

// TakenTag is a tag that names other content.
type TakenTag struct {
	Tag string
	// Name is that of the artifact that is not pushed for it.
	Name string
	// There is the digest that the tag names in the registry, and Wanted the
	// one of the push, both "sha256:…".
	There, Wanted string
}

// Error implements error.
func (e *TagsTakenError) Error() string {
	lines := make([]string, 0, len(e.Tags))
	for _, t := range e.Tags {
		lines = append(lines, fmt.Sprintf("the tag %s of %s names %s and would change to %s; published tags keep their content", t.Tag, e.Repository, t.There, t.Wanted))
	}
	return strings.Join(lines, "\n")
}

// checkTags finds all tags that a push would move, before it sends anything.
func (p *push) checkTags(ctx context.Context, tags []tagging) error {
	taken := make([]*TakenTag, len(tags))
	err := p.each(ctx, len(tags), func(ctx context.Context, i int) (err error) {
		_, taken[i], err = p.askTag(ctx, tags[i])
		if unreadable(err) {
			// The manifest behind it may be one that this push repairs; setTag
			// asks once more.
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	refused := &TagsTakenError{Repository: p.remote.Name()}
	for _, t := range taken {
		if t != nil {
			refused.Tags = append(refused.Tags, *t)
		}
	}
	if len(refused.Tags) > 0 {
		return refused
	}
	return nil
}

// askTag reports whether a tag names its content already, and whether it may
// not be set, since it names other content.
func (p *push) askTag(ctx context.Context, t tagging) (set bool, taken *TakenTag, err error) {
	found, err := p.head(ctx, t.tag)
	switch {
	case err != nil:
		return false, nil, fmt.Errorf("asking for the tag %s: %w", t.tag.TagStr(), err)
	case found == nil:
		return false, nil, nil
	case found.Digest == t.node.digest:
		return true, nil, nil
	case p.move:
		return false, nil, nil
	}
	return false, &TakenTag{Tag: t.tag.TagStr(), Name: t.name, There: found.Digest.String(), Wanted: t.node.digest.String()}, nil
}

// setTag asks immediately before it writes: a registry has no compare-and-set,
// so this is as small as the window gets in which somebody else sets the tag.
func (p *push) setTag(ctx context.Context, t tagging) error {
	set, taken, err := p.askTag(ctx, t)
	switch {
	case err != nil || set:
		return err
	case taken != nil:
		return &TagsTakenError{Repository: p.remote.Name(), Tags: []TakenTag{*taken}}
	}
	if err := p.pusher.Put(ctx, t.tag, t.node.manifest); err != nil {
		// Another push of the same content may have set it in between, and
		// registries with immutable tags refuse the second.
		if set, _, again := p.askTag(ctx, t); again == nil && set {
			return nil
		}
		return fmt.Errorf("setting the tag %s: %w", t.tag.TagStr(), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Tagged = append(p.report.Tagged, t.tag.TagStr())
	return nil
}
