package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// envFlags change what an environment is for one command.
type envFlags struct {
	values     string
	repository string
}

func (f *envFlags) addValues(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.values, "values-file", "", "YAML `file` with values to lay over the environment's; - is stdin")
	mustComplete(cmd, "values-file", completeFiles("yml", "yaml"))
}

func (f *envFlags) addRepository(cmd *cobra.Command) {
	referenceFlag(cmd, &f.repository, "repository", "`HOST/PATH` that the package repository is pushed to (default: the environment's registry)", oci.CheckReference)
}

// environment reads one as the flags change it.
func (a *app) environment(name string, f envFlags) (*catalog.Catalog, *catalog.Environment, error) {
	text, err := a.values(f.values)
	if err != nil {
		return nil, nil, err
	}
	c, err := a.catalog()
	if err != nil {
		return nil, nil, err
	}
	e, err := c.Environment(name)
	if err != nil {
		return nil, nil, err
	}
	var over map[string]any
	if err := yaml.UnmarshalStrict(text, &over); err != nil {
		return nil, nil, fmt.Errorf("reading the values to lay over the environment %s: %w", name, err)
	}
	e.Lay(over)
	e.Registry = cmp.Or(f.repository, e.Registry)
	return c, e, nil
}

// rendered are the packages of an environment, all or those with these names.
func (a *app) rendered(ctx context.Context, name string, f envFlags, packages ...string) ([]environment.Package, error) {
	c, e, err := a.environment(name, f)
	if err != nil {
		return nil, err
	}
	return environment.Render(ctx, c, e, packages...)
}
