package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// envFlags change what an environment is for one command.
type envFlags struct {
	values     string
	repository string
	// all is for what is made of all packages, of which none may be broken.
	all bool
}

func (f *envFlags) addValues(cmd *cobra.Command) {
	valuesFileFlag(cmd, &f.values, "values to lay over the environment's")
}

func (f *envFlags) addRepository(cmd *cobra.Command) {
	referenceFlag(cmd, &f.repository, "repository", "`HOST/PATH` of the package repository (default: the environment's registry)", oci.CheckReference)
}

// environment reads one as the flags change it.
func (a *app) environment(name string, f envFlags) (*catalog.Catalog, *catalog.Environment, error) {
	var options []catalog.Option
	if !f.all {
		options = append(options, catalog.LeaveOutBroken)
	}
	c, err := a.catalog(options...)
	if err != nil {
		return nil, nil, err
	}
	e, err := c.Environment(name)
	if err != nil {
		return nil, nil, err
	}
	a.warnOfBroken(c)
	if err := a.lay(e, f.values); err != nil {
		return nil, nil, err
	}
	e.Registry = cmp.Or(f.repository, e.Registry)
	return c, e, nil
}

// lay puts the values of a file over the environment's, if there is one.
func (a *app) lay(e *catalog.Environment, name string) error {
	file, err := a.values(name)
	if err == nil && name != "" {
		e.Sources = append(e.Sources, catalog.Source{Name: file.Name, Data: file.Data})
	}
	return err
}

// rendered are the packages of each environment, all or those that packages name.
// Every name is looked up before anything is rendered, which can take minutes.
func (a *app) rendered(ctx context.Context, f envFlags, packages []string, environments ...string) ([][]environment.Package, error) {
	var c *catalog.Catalog
	var found []*catalog.Environment
	for _, name := range environments {
		var e *catalog.Environment
		var err error
		if c, e, err = a.environment(name, f); err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	chosen, err := packageNames(c, packages)
	if err != nil {
		return nil, err
	}
	var rendered [][]environment.Package
	for _, e := range found {
		list, err := environment.Render(ctx, c, e, chosen...)
		if err != nil {
			return nil, err
		}
		rendered = append(rendered, list)
	}
	return rendered, nil
}
