package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// version is the one that arg names; see [catalog.Catalog.Find]. What is broken of
// others is in nobody's way.
func (a *app) version(arg string) (*catalog.Catalog, *catalog.Version, error) {
	c, err := a.catalog(catalog.LeaveOutBroken)
	if err != nil {
		return nil, nil, err
	}
	v, err := c.Find(arg)
	if err != nil {
		return nil, nil, err
	}
	a.warnOfBroken(c)
	return c, v, nil
}

// packageNames are the names of the packages that args name. The error joins what
// is wrong with each argument.
func packageNames(c *catalog.Catalog, args []string) ([]string, error) {
	var list []string
	var errs []error
	for _, arg := range args {
		p, err := c.FindPackage(arg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, p.Name)
	}
	return list, errors.Join(errs...)
}

// completeVersion completes the first argument alone, for commands that take
// one version.
func (a *app) completeVersion(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeVersions(cmd, args, typed)
}
