package devcluster

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// downSteps undo [session.upSteps]. Without an engine that answers there is
// nothing that could be there.
func (s *session) downSteps(ctx context.Context) []step {
	s.host = probe(ctx)
	e, ok := s.host.engine(s.options.Engine)
	if !ok {
		progress.From(ctx).Step("no container engine is running, so there is no cluster to remove")
		return nil
	}
	steps := []step{
		{says: "settling on the engine", do: func(context.Context) error { return s.use(e) }},
		{says: "removing the cluster", do: s.deleteCluster},
		{says: "removing the registry and its content", do: s.removeRegistry},
	}
	if s.options.Images {
		steps = append(steps, step{says: "removing images and their cached parts", do: s.removeImages})
	}
	return steps
}

func (s *session) removeRegistry(ctx context.Context) error {
	name := s.registryName()
	image, err := s.engine.output(ctx, "inspect", "--type", "container", "--format", "{{.Config.Image}}", name)
	if err == nil {
		if err := s.engine.Run(ctx, nil, nil, "rm", "--force", name); err != nil {
			return err
		}
		_ = s.engine.Run(ctx, nil, nil, "rmi", image) // another cluster may use it
	}
	volumes, err := s.engine.output(ctx, "volume", "ls", "--quiet")
	if err != nil || !slices.Contains(strings.Fields(volumes), name) {
		return err
	}
	return s.engine.Run(ctx, nil, nil, "volume", "rm", name)
}

// removeImages removes what was made or loaded here; an image that was
// pulled is the engine's and stays.
func (s *session) removeImages(ctx context.Context) error {
	for _, repository := range []string{registryRepository, nodeimage.Repository, nodeimage.BaseRepository} {
		ids, err := s.engine.output(ctx, "images", "--quiet", "--filter", "reference="+repository)
		if err != nil {
			return err
		}
		for _, id := range strings.Fields(ids) {
			if err := s.engine.Run(ctx, nil, nil, "rmi", "--force", id); err != nil {
				return err
			}
		}
	}
	for _, kind := range nodeimage.CacheKinds() {
		dir, err := cache.Dir(kind)
		if err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("removing cached parts of the node image: %w", err)
		}
	}
	return nil
}
