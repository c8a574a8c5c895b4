package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// version is the one that arg names; a package alone stands for its newest.
func (a *app) version(arg string) (*catalog.Catalog, *catalog.Version, error) {
	c, versions, err := a.selected([]string{arg})
	if err != nil {
		return nil, nil, err
	}
	return c, versions[len(versions)-1], nil
}

// completeVersion completes the first argument alone, for commands that take
// one version.
func (a *app) completeVersion(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeVersions(cmd, args, typed)
}
