package cli

import (
	"context"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// locked leaves out the versions without images.lock.yml, which cannot be published.
// Those that were named on the command line are named again, with the remedy.
func locked(ctx context.Context, versions []*catalog.Version, named bool) []*catalog.Version {
	var rest []*catalog.Version
	for _, v := range versions {
		if v.Images != nil {
			rest = append(rest, v)
		} else if named {
			progress.From(ctx).Step("%s has no %s, so it cannot be published; lock it with: %s", v.ID(), catalog.ImagesLockFile, v.Relock())
		}
	}
	return rest
}
