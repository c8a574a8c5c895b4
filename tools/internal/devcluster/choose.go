package devcluster

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"

	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// chooseImage sets the node image and the reason for it: asked for by name,
// else kind's published one where it can be had, else one made from source.
func (s *session) chooseImage(ctx context.Context) error {
	switch wanted := s.options.NodeImage; wanted {
	case NodeImagePublished:
		return s.pull(ctx, "it was asked for")
	case NodeImageSource:
		return s.makeImage(ctx, "it was asked for")
	case NodeImageAuto:
		return s.chooseForHost(ctx)
	default:
		s.source = strings.HasPrefix(wanted, nodeimage.Repository+":")
		s.chosen(ctx, wanted, "it was asked for")
		return nil
	}
}

func (s *session) chooseForHost(ctx context.Context) error {
	if s.engine.hasImage(ctx, defaults.Image) {
		s.chosen(ctx, defaults.Image, "it is in the engine's storage")
		return nil
	}
	if !answersHTTP(ctx, registryProbe) {
		return s.makeImage(ctx, "the registry of kind's published image does not respond")
	}
	if err := s.pull(ctx, "its registry responds"); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return s.makeImage(ctx, "kind's published image could not be pulled: "+err.Error())
	}
	return nil
}

// fromSource tells whether a new cluster would need an image from source.
func (s *session) fromSource(ctx context.Context) bool {
	wanted := s.options.NodeImage
	return wanted == NodeImageSource || wanted == NodeImageAuto && !answersHTTP(ctx, registryProbe)
}

func (s *session) chosen(ctx context.Context, image, reason string) {
	s.result.NodeImage, s.result.NodeImageReason = image, reason
	progress.From(ctx).Step("node image %s: %s", image, reason)
}

func (s *session) pull(ctx context.Context, reason string) error {
	image := defaults.Image
	if s.engine == podman {
		image = "docker.io/" + image // podman may not search docker.io for short names
	}
	if err := s.engine.Run(ctx, nil, nil, "pull", "--quiet", image); err != nil {
		return fmt.Errorf("pulling kind's node image (--node-image=source makes one instead): %w", err)
	}
	s.chosen(ctx, defaults.Image, reason)
	return nil
}

// makeImage builds the node image, unless one with the same inputs is in the
// engine's storage.
func (s *session) makeImage(ctx context.Context, reason string) error {
	s.source = true
	image, err := nodeimage.Reference()
	if err != nil {
		return err
	}
	if !s.engine.hasImage(ctx, image) {
		if err := s.host.provide(ctx, s.options, s.host.missing(s.options, true)); err != nil {
			return err
		}
		if image, err = nodeimage.Build(ctx, s.engine, nodeimage.Options{}); err != nil {
			return err
		}
	}
	s.chosen(ctx, image, "made from source, since "+reason)
	return nil
}
