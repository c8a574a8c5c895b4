package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// mirrorFlags say where images are looked for before they are compiled.
type mirrorFlags struct {
	from []string
	// opened are the mirrors of one run: they remember which of them does not answer.
	opened []*oci.Mirror
}

func (f *mirrorFlags) add(cmd *cobra.Command) {
	referencesFlag(cmd, &f.from, "images-from",
		"`HOST/REPOSITORY` that \"strake push\" has filled, from which images are taken before they are compiled; repeatable, before those of repo/repository.yml",
		oci.CheckRepository)
}

// open makes the mirrors of the command line, and then those of the checkout.
func (f *mirrorFlags) open(c *catalog.Catalog, r oci.Registry) {
	var names []string
	for _, name := range slices.Concat(f.from, c.Repository.ImagesFrom) {
		if !slices.Contains(names, name) {
			names = append(names, name)
			f.opened = append(f.opened, oci.NewMirror(name, r))
		}
	}
}

// working gives ctx a live line for what of the versions must be compiled.
func (f *imageFlags) working(ctx context.Context, c *catalog.Catalog, versions []*catalog.Version) (context.Context, error) {
	f.mirrors.open(c, f.registry.options())
	ctx, _ = progress.WithWork(ctx, "compiling images")
	return ctx, image.Expect(ctx, c.Costs, f.mirrors.opened, versions...)
}
