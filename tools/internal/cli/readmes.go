package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/docs"
)

func newReadmes(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "readmes",
		Short: "Write the pages about the packages",
		Long: `Readmes writes README.md beside each package.yml, with the values of the newest
published version (or of the newest one, where none is), and the table of
packages in the README.md of the checkout.`,
		Example: "  strake readmes",
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			c, err := a.catalog()
			if err != nil {
				return err
			}
			for _, p := range c.Packages {
				if err := writePage(cmd.Context(), c, p); err != nil {
					return err
				}
			}
			return writeOverview(c)
		}),
	}
}

func writePage(ctx context.Context, c *catalog.Catalog, p *catalog.Package) error {
	v := docs.Shown(c, p)
	values, err := valuesOf(ctx, c, v)
	if err != nil {
		return err
	}
	text, err := docs.Page(c, v, values)
	if err != nil {
		return err
	}
	return writeGenerated(filepath.Join(p.Dir, docs.ReadmeFile), text)
}

func writeOverview(c *catalog.Catalog) error {
	file := filepath.Join(c.Root, docs.ReadmeFile)
	page, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the page for the table of packages: %w", err)
	}
	text, err := docs.Overview(c, string(page))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return writeGenerated(file, text)
}

func writeGenerated(file string, text []byte) error {
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("writing a page: %w", err)
	}
	return nil
}
