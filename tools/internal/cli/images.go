package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func newImages(a *app) *cobra.Command {
	return group("images", "List, lock and build the images of packages",
		`The images of a package version are compiled from its Go module, or come from the
registry of the upstream project. images.lock.yml has their digests.`,
		"  strake images list\n  strake images lock keda@2.21.0",
		newImagesList(a), newImagesLock(a), newImagesBuild(a))
}

// imagesFromHelp is the part of help about mirrors.
const imagesFromHelp = `Images that are not in the cache come from the first mirror that has the locked digest:
the repositories of --images-from, then those of imagesFrom in repo/repository.yml.
Strake verifies their digests, so a mirror needs no trust. It compiles an image that no
mirror has.`

// imageRow is one locked image as it is printed.
type imageRow struct {
	Package   string              `json:"package"`
	Version   string              `json:"version"`
	Image     string              `json:"image"`
	Reference string              `json:"reference"`
	Source    catalog.ImageSource `json:"source"`
	Digest    string              `json:"digest"`
	Inputs    string              `json:"inputs,omitempty"`
	Platforms []platformRow       `json:"platforms"`
}

type platformRow struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	SBOM     string `json:"sbom,omitempty"`
}

func newImagesList(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "list [PACKAGE[@VERSION]...]",
		Short: "List the locked images",
		Long:  "List prints the images in images.lock.yml of each version, with their digests. It builds nothing.",
		Example: `  strake images list
  strake images list keda -o json`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			_, versions, err := a.selected(args, catalog.LeaveOutBroken)
			if err != nil {
				return err
			}
			versions = locked(cmd.Context(), versions, len(args) > 0)
			return printImages(a.out(), output, versions)
		}),
	}
	output.add(cmd)
	return cmd
}

func newImagesLock(a *app) *cobra.Command {
	var flags imageFlags
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "lock [PACKAGE[@VERSION]...]",
		Short: "Write images.lock.yml",
		Long: `Lock compiles the images of each version and writes their digests to images.lock.yml.
With --images=upstream, it reads the digests from the upstream registry.

Without --images and --platform, it keeps the source and the platforms of an existing
lock.`,
		Example: `  strake images lock keda@2.21.0
  strake images lock keda --platform linux/amd64 --platform linux/arm64
  strake images lock keda@2.21.0 --images=upstream`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			c, versions, err := a.selected(args, catalog.AllowMissingLocks)
			if err != nil {
				return err
			}
			for _, v := range versions {
				o := flags.options(v)
				o.Costs = c.Costs
				if err := lockImages(cmd.Context(), v, o); err != nil {
					return err
				}
			}
			gocache.Clear(cmd.Context())
			return printImages(a.out(), output, versions)
		}),
	}
	flags.add(cmd)
	output.add(cmd)
	return cmd
}

func lockImages(ctx context.Context, v *catalog.Version, o image.Options) error {
	work, _ := progress.WithWork(ctx, "compiling images of "+v.ID())
	lock, err := image.Lock(work, v, o)
	if err != nil {
		return err
	}
	progress.From(ctx).Step("locked %d images of %s", len(lock.Images), v.ID())
	return catalog.WriteImagesLock(v, lock)
}

func newImagesBuild(a *app) *cobra.Command {
	var flags imageFlags
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "build [PACKAGE[@VERSION]...]",
		Short: "Build the locked images into the cache",
		Long: `Build builds the images of each version, or finds them in the cache. It fails if a
digest differs from images.lock.yml, and prints both digests.

` + imagesFromHelp,
		Example: `  strake images build
  strake images build keda@2.21.0
  strake images build --images-from registry.example.com/platform`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			c, versions, err := a.selected(args)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				versions = locked(cmd.Context(), versions, false)
			}
			ctx, err := flags.working(cmd.Context(), c, versions)
			if err != nil {
				return err
			}
			for _, v := range versions {
				if _, err := image.Build(ctx, v, flags.options(v)); err != nil {
					return err
				}
			}
			gocache.Clear(cmd.Context())
			return printImages(a.out(), output, versions)
		}),
	}
	flags.add(cmd)
	flags.mirrors.add(cmd)
	output.add(cmd)
	return cmd
}

func printImages(w io.Writer, output outputFlags, versions []*catalog.Version) error {
	list := []imageRow{}
	for _, v := range versions {
		for _, img := range v.Images.Images {
			list = append(list, imageRow{
				Package: v.Package.Name, Version: v.Version, Image: img.Name, Reference: img.Reference,
				Source: v.Images.Source, Digest: img.Digest, Inputs: img.Inputs, Platforms: platformRows(img.Platforms),
			})
		}
	}
	return output.print(w, list, func(w io.Writer) error {
		var rows [][]string
		for _, i := range list {
			rows = append(rows, []string{i.Package, i.Version, i.Image, string(i.Source), i.platforms(), i.Digest})
		}
		return table(w, []string{"PACKAGE", "VERSION", "IMAGE", "SOURCE", "PLATFORMS", "DIGEST"}, rows)
	})
}

func platformRows(locked []catalog.LockedPlatform) []platformRow {
	var rows []platformRow
	for _, p := range locked {
		rows = append(rows, platformRow(p))
	}
	return rows
}

func (i imageRow) platforms() string {
	var names []string
	for _, p := range i.Platforms {
		names = append(names, p.Platform)
	}
	return strings.Join(names, ",")
}
