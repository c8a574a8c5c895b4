package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/repository"
)

func newVerify(a *app) *cobra.Command {
	var images bool
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Rebuild everything and compare it with the committed files",
		Long: `Verify builds all bundles and the repository again, without the cache, and compares
every file of repo/packages and repo/bundle.lock.yml. It lists differences and exits
with code 3 if there are any.

With --images, it also builds all images and fails if a digest differs from
images.lock.yml. It reads cached images back and verifies their digests. Set
STRAKE_CACHE to an empty folder to compile all of them again.`,
		Example: `  strake verify
  strake verify --images
  STRAKE_CACHE=$(mktemp -d) strake verify --images`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			c, err := a.catalog()
			if err != nil {
				return err
			}
			r, findings, err := repository.Verify(cmd.Context(), c)
			if err != nil {
				return err
			}
			var rebuilt int
			if images {
				if rebuilt, err = verifyImages(cmd.Context(), c); err != nil {
					return err
				}
			}
			if err := printDifferences(a.out(), output, findings); err != nil {
				return err
			}
			summary := "verify: " + equal(c, r)
			if images {
				summary += fmt.Sprintf("; %s as locked", count(rebuilt, "image"))
			}
			a.summary("%s", summary)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&images, "images", false, "also build all images")
	output.add(cmd)
	return cmd
}

// equal says what a rebuild was compared with, and that nothing differs.
func equal(c *catalog.Catalog, r *repository.Repository) string {
	text := fmt.Sprintf("%s rebuilt, %s as committed", count(len(r.Bundles), "bundle"), count(len(r.Files), "file"))
	if unlocked := len(c.Unlocked()); unlocked > 0 {
		text += fmt.Sprintf("; %s left out, without %s", count(unlocked, "version"), catalog.ImagesLockFile)
	}
	return text
}

// verifyImages makes the images of all locked versions and returns their number.
func verifyImages(ctx context.Context, c *catalog.Catalog) (int, error) {
	versions, err := c.Select(nil)
	if err != nil {
		return 0, err
	}
	ctx, _ = progress.WithWork(ctx, "compiling images")
	if err := image.Expect(ctx, c.Costs, nil, versions...); err != nil {
		return 0, err
	}
	made := 0
	for _, v := range versions {
		if v.Images == nil {
			continue
		}
		images, err := image.Build(ctx, v, image.Options{Rehash: true})
		if err != nil {
			return 0, err
		}
		made += len(images)
	}
	gocache.Clear(ctx)
	return made, nil
}

// printDifferences lists what a rebuild gave otherwise than what is committed,
// which is no success.
func printDifferences(w io.Writer, output outputFlags, findings []repository.Finding) error {
	if findings == nil {
		findings = []repository.Finding{}
	}
	err := output.print(w, findings, func(w io.Writer) error {
		for _, f := range findings {
			fmt.Fprintln(w, differenceLine(f))
		}
		return nil
	})
	if err != nil || len(findings) == 0 {
		return err
	}
	return findingsf("%d generated files differ from what is committed; run \"strake build\", or find out what changed the digests", len(findings))
}

func differenceLine(f repository.Finding) string {
	line := f.File + ": " + f.What
	if f.Committed != "" || f.Rebuilt != "" {
		line += fmt.Sprintf(" (committed %s, rebuilt %s)", orNone(f.Committed), orNone(f.Rebuilt))
	}
	return line
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
