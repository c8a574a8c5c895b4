package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/docs"
)

type listFlags struct {
	versions bool
	output   outputFlags
}

// listRow is a version of a package as it is printed.
type listRow struct {
	Package    string   `json:"package"`
	Version    string   `json:"version"`
	Published  bool     `json:"published"`
	ReleasedAt string   `json:"releasedAt"`
	Kubernetes string   `json:"kubernetes"`
	Requires   []string `json:"requires"`
	Optional   []string `json:"optional"`
	Summary    string   `json:"summary"`
}

func newList(a *app) *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:   "list [PACKAGE[@VERSION]...]",
		Short: "List the packages of the repository",
		Long: `List prints the packages of this checkout: the latest published version, the
supported Kubernetes versions, the dependencies, and a description. A dependency in
parentheses is required only with some values. Packages without a published version
appear with their name only, or with --versions.

It reads the checkout only, and contacts no registry and no cluster.`,
		Example: `  strake list
  strake list keda --versions
  strake list keda@2.21.0 -o json`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(_ *cobra.Command, args []string) error {
			c, versions, err := a.selected(args, catalog.AllowMissingLocks, catalog.LeaveOutBroken)
			if err != nil {
				return err
			}
			rows, err := listRows(c, versions, flags.versions, args)
			if err != nil {
				return err
			}
			return flags.output.print(a.out(), rows, func(w io.Writer) error { return printList(w, flags.versions, rows) })
		}),
	}
	cmd.Flags().BoolVar(&flags.versions, "versions", false, "list every version with its release date, and whether it is published")
	flags.output.add(cmd)
	return cmd
}

// listRows has a row for each version, or for those that args name and the latest
// one of each package: the published one, if any is. Packages of which none is
// published are for the project's own use, and listed if they are asked for.
func listRows(c *catalog.Catalog, versions []*catalog.Version, all bool, args []string) ([]listRow, error) {
	var named []*catalog.Version
	packages := map[string]bool{}
	for _, arg := range args {
		found, err := c.Select([]string{arg})
		if err != nil {
			return nil, err
		}
		if strings.Contains(arg, "@") {
			named = append(named, found...)
		} else {
			packages[found[0].Package.Name] = true
		}
	}
	rows := []listRow{}
	for _, v := range versions {
		listed := packages[v.Package.Name] || len(args) == 0 && len(c.Repository.Published[v.Package.Name]) > 0
		if all || slices.Contains(named, v) || listed && v == docs.Shown(c, v.Package) {
			rows = append(rows, listRowOf(c, v))
		}
	}
	return rows, nil
}

func listRowOf(c *catalog.Catalog, v *catalog.Version) listRow {
	row := listRow{
		Package: v.Package.Name, Version: v.Version, Published: c.Published(v),
		ReleasedAt: v.ReleasedAt.UTC().Format(time.DateOnly), Kubernetes: v.Kubernetes,
		Requires: []string{}, Optional: []string{}, Summary: strings.TrimSpace(v.Package.Metadata.ShortDescription),
	}
	for _, r := range v.Requires {
		if r.Optional {
			row.Optional = append(row.Optional, r.Package)
		} else {
			row.Requires = append(row.Requires, r.Package)
		}
	}
	return row
}

func printList(w io.Writer, all bool, rows []listRow) error {
	head := []string{"PACKAGE", "VERSION", "KUBERNETES", "REQUIRES", "SUMMARY"}
	if all {
		head = []string{"PACKAGE", "VERSION", "RELEASED", "PUBLISHED", "KUBERNETES", "REQUIRES"}
	}
	var lines [][]string
	for _, row := range rows {
		line := []string{row.Package, row.Version, row.Kubernetes, dependencies(row), row.Summary}
		if all {
			published := "no"
			if row.Published {
				published = "yes"
			}
			line = []string{row.Package, row.Version, row.ReleasedAt, published, row.Kubernetes, dependencies(row)}
		}
		lines = append(lines, line)
	}
	return table(w, head, lines)
}

// dependencies are the packages that a version requires; one that depends on the
// values is in parentheses.
func dependencies(row listRow) string {
	words := slices.Clone(row.Requires)
	for _, name := range row.Optional {
		words = append(words, fmt.Sprintf("(%s)", name))
	}
	return cmp.Or(strings.Join(words, ", "), "-")
}
