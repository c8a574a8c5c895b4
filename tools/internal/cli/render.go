package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/repository"
)

type renderFlags struct {
	values     string
	repository string
}

func newRender(a *app) *cobra.Command {
	var flags renderFlags
	cmd := &cobra.Command{
		Use:   "render PACKAGE[@VERSION]",
		Short: "Print the objects that a package installs",
		Long: `Render prints, as YAML, the objects that kapp-controller deploys for a package and a
user's values. ytt and kbld have run, and images are referenced by digest. Invalid
values are refused as they are on a cluster. Without a VERSION, it uses the newest one.

` + childMemoryHelp,
		Example: `  strake render keda
  strake render keda@2.21.0 --values-file values.yml
  kubectl get secret keda-values -o jsonpath='{.data.values\.yml}' | base64 -d | strake render keda --values-file -`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeVersion,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			values, err := a.values(flags.values)
			if err != nil {
				return err
			}
			objects, err := render(cmd.Context(), a, args[0], values, flags.repository)
			if err != nil {
				return err
			}
			return manifest.Encode(a.out(), objects)
		}),
	}
	valuesFileFlag(cmd, &flags.values, "the user's values")
	referenceFlag(cmd, &flags.repository, "repository", "`HOST/PATH` of the images (default: the canonical repository)", oci.CheckRepository)
	return cmd
}

func render(ctx context.Context, a *app, arg string, values inputs.File, in string) ([]manifest.Object, error) {
	c, v, err := a.version(arg)
	if err != nil {
		return nil, err
	}
	b, err := repository.BuildVersion(ctx, c, v, repository.Options{})
	if err != nil {
		return nil, err
	}
	given := inputs.Of(v.Package.Name, values)
	objects, err := bundle.Render(ctx, b, given.Given(), bundle.RenderOptions{Repository: in})
	return objects, given.Explain(err)
}

// valuesFileFlag adds -f and --values-file, which every command reads by
// [app.values].
func valuesFileFlag(cmd *cobra.Command, target *string, what string) {
	cmd.Flags().StringVarP(target, "values-file", "f", "", "YAML `file` with "+what+"; - is stdin")
	mustComplete(cmd, "values-file", completeFiles("yml", "yaml"))
}

// values are a file of values, stdin for -, or nothing. What is wrong with the file as YAML
// is an error.
func (a *app) values(name string) (inputs.File, error) {
	if name == "" {
		return inputs.File{}, nil
	}
	file := inputs.File{Name: name}
	var err error
	if name == "-" {
		file.Name = "stdin"
		file.Data, err = io.ReadAll(a.streams.In)
	} else {
		file.Data, err = os.ReadFile(name)
	}
	if err != nil {
		return inputs.File{}, fmt.Errorf("reading values: %w", err)
	}
	_, err = file.Values()
	return file, err
}
