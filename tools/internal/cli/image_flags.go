package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/image"
)

// imageFlags say which images are made, and how.
type imageFlags struct {
	source    catalog.ImageSource
	platforms []string
	jobs      int
	registry  registryFlags
	mirrors   mirrorFlags
}

// asLocked leaves the source of images to the lock.
const asLocked catalog.ImageSource = "locked"

func (f *imageFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.platforms, "platform", nil, "`OS/ARCH` of the images, repeatable (default: as locked, else linux/amd64)")
	mustComplete(cmd, "platform", cobra.FixedCompletions([]string{"linux/amd64", "linux/arm64"}, cobra.ShellCompDirectiveNoFileComp))
	f.addSource(cmd)
}

// addSource leaves out the platforms, for commands that take them as they are
// locked.
func (f *imageFlags) addSource(cmd *cobra.Command) {
	enumFlag(cmd, &f.source, "images", "", "source of the images", asLocked, catalog.FromModule, catalog.FromUpstream)
	cmd.Flags().IntVar(&f.jobs, "jobs", 0, "how many images are built in parallel; 0 means one, since compiling is CPU-bound")
	f.registry.add(cmd)
}

func (f *imageFlags) options(v *catalog.Version) image.Options {
	o := image.Options{Platforms: f.platforms, Source: f.source, Registry: f.registry.options(), Jobs: f.jobs, Mirrors: f.mirrors.opened}
	if o.Source == asLocked {
		o.Source = lockedSource(v)
	}
	if len(o.Platforms) == 0 {
		o.Platforms = lockedPlatforms(v)
	}
	return o
}

func lockedSource(v *catalog.Version) catalog.ImageSource {
	if v.Images == nil {
		return catalog.FromModule
	}
	return v.Images.Source
}

func lockedPlatforms(v *catalog.Version) []string {
	if v.Images == nil || len(v.Images.Images) == 0 {
		return []string{"linux/amd64"}
	}
	var platforms []string
	for _, p := range v.Images.Images[0].Platforms {
		platforms = append(platforms, p.Platform)
	}
	return platforms
}
