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
		Short: "Find problems that would otherwise appear at deploy time",
		Long: `Lint finds problems that would otherwise appear at deploy time, such as images that
are not locked, kapp rules that match too much, values without a description,
containers that may run as root, and upgrades that lose objects.

Each finding has a remedy. To allow one, add an exception with a reason to package.yml
or version.yml. The exit code is 3 if there are findings.`,
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
	return findingsf("%d findings; each line above ends with the remedy and the name of the rule", len(findings))
}
