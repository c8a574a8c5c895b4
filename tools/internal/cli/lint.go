package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/lint"
)

func newLint(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "lint [PACKAGE[@VERSION]...]",
		Short: "Find what would bite on a cluster later",
		Long: `Lint looks at the packages as a cluster would see them: images that are not
locked, kapp rules that hit more than they say, values without a description,
containers that may run as root, upgrades that lose objects, and more. Each
finding says what to do. What must be so is allowed by an exception with a
reason, in package.yml or version.yml. Findings end with exit code 3.`,
		Example: `  strake lint
  strake lint keda@2.21.0 -o json`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			c, versions, err := a.selected(args)
			if err != nil {
				return err
			}
			findings, err := lint.Run(cmd.Context(), c, versions)
			if err != nil {
				return err
			}
			if err := printFindings(a.out(), output, findings); err != nil {
				return err
			}
			a.summary("lint: %s of %s, %d rules, no findings",
				count(len(versions), "version"), count(packagesOf(versions), "package"), lint.Rules())
			return nil
		}),
	}
	output.add(cmd)
	return cmd
}

// packagesOf is the number of packages that versions are of.
func packagesOf(versions []*catalog.Version) int {
	packages := map[*catalog.Package]bool{}
	for _, v := range versions {
		packages[v.Package] = true
	}
	return len(packages)
}

func printFindings(w io.Writer, output outputFlags, findings []lint.Finding) error {
	if findings == nil {
		findings = []lint.Finding{}
	}
	err := output.print(w, findings, func(w io.Writer) error {
		for _, f := range findings {
			fmt.Fprintln(w, f)
		}
		return nil
	})
	if err != nil || len(findings) == 0 {
		return err
	}
	return findingsf("%d findings; each line above ends with the way out and the rule's name", len(findings))
}
