package cli

import (
	"context"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// locked leaves out the versions without images.lock.yml and says so.
func locked(ctx context.Context, versions []*catalog.Version) []*catalog.Version {
	var rest []*catalog.Version
	for _, v := range versions {
		if v.Images == nil {
			sayUnlocked(ctx, v)
			continue
		}
		rest = append(rest, v)
	}
	return rest
}

// sayUnlocked tells what keeps versions from being published, and the way out.
func sayUnlocked(ctx context.Context, versions ...*catalog.Version) {
	for _, v := range versions {
		progress.From(ctx).Step("%s has no %s, so it cannot be published; lock it with: %s",
			v.ID(), catalog.ImagesLockFile, v.Relock())
	}
}
