package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/apivalidate"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

func newEnvDiff(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "diff FROM TO [PACKAGE...]",
		Short: "Show the differences between two environments",
		Long: `Diff prints the differences between the objects of two environments, by package,
object and field. With PACKAGE, it compares only these packages. It lists Secrets that
differ without their content. The exit code is 3 if the environments differ.`,
		Example: `  strake env diff staging prod
  strake env diff dev prod keda -o json`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.completeEnvironments,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			found, err := envDiff(cmd.Context(), a, args[0], args[1], args[2:]...)
			if err != nil {
				return err
			}
			if err := output.print(a.out(), found, func(w io.Writer) error { return environment.Print(w, found) }); err != nil {
				return err
			}
			if len(found) > 0 {
				return findingsf("%s and %s differ in %d objects", args[0], args[1], len(found))
			}
			return nil
		}),
	}
	output.add(cmd)
	return cmd
}

func envDiff(ctx context.Context, a *app, from, to string, packages ...string) ([]environment.Difference, error) {
	rendered, err := a.rendered(ctx, envFlags{}, packages, from, to)
	if err != nil {
		return nil, err
	}
	found, err := environment.Diff(environment.Stored(rendered[0]), environment.Stored(rendered[1]))
	if found == nil {
		found = []environment.Difference{}
	}
	return found, err
}

func newEnvValidate(a *app) *cobra.Command {
	var output outputFlags
	var flags envFlags
	cmd := &cobra.Command{
		Use:   "validate ENV",
		Short: "Validate an environment without a cluster",
		Long: fmt.Sprintf(`Validate finds errors that would otherwise appear at deploy time:

  - values that a schema refuses
  - overlays that match nothing, or too much
  - dependencies that no package of the environment satisfies
  - versions of packages whose values were validated with the schema of another version
  - references to objects, such as Secrets or Middlewares, that nothing creates
  - permissions that the account of a package lacks, and escalating ones without need
  - objects that two packages render
  - objects that do not match the OpenAPI schema of Kubernetes or a CRD of the packages
  - objects that the API server refuses: invalid names and labels, limits below requests,
    selectors that do not match the labels of the template, Secrets above 1 MiB, and
    violations of the CEL rules of a CRD, for example
  - deprecated and removed APIs
  - images from another registry

The exit code is 3 if there are findings. Strake reads the Kubernetes API from its Go
module in the version of the environment. The module is downloaded once.

The validation of the API server is compiled from the Go modules of Kubernetes. This
takes some minutes the first time. Strake has modules for these minor versions: %s. It
uses the nearest one to the version of the environment. Admission webhooks, quotas and
what else depends on the state of a cluster are not validated.

The validation runs in a process of its own, which ends when it uses more than 2 GiB of
memory. The environment variable STRAKE_CHILD_MEMORY changes the limit, as in 8Gi.`, strings.Join(apivalidate.Minors(), ", ")),
		Example:           "  strake env validate prod\n  strake env validate prod -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeEnvironment,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			c, e, err := a.environment(args[0], flags)
			if err != nil {
				return err
			}
			checked, err := envValidate(cmd.Context(), c, e)
			if err != nil {
				return err
			}
			found := checked.Findings
			if err := output.print(a.out(), found, func(w io.Writer) error { return printEnvFindings(w, found) }); err != nil {
				return err
			}
			if len(found) > 0 {
				return findingsf("%d findings in the environment %s", len(found), args[0])
			}
			a.summary("env validate: %s: %s and %s valid for Kubernetes %s, no findings",
				e.Name, count(checked.Packages, "package"), count(checked.Objects, "object"), e.Kubernetes)
			return nil
		}),
	}
	output.add(cmd)
	flags.addValues(cmd)
	return cmd
}

func envValidate(ctx context.Context, c *catalog.Catalog, e *catalog.Environment) (*environment.Report, error) {
	api, err := kubernetesAPI(ctx, e)
	if err != nil {
		return nil, err
	}
	server, err := validator(ctx, e)
	if err != nil {
		return nil, err
	}
	checked, err := environment.Check(ctx, c, e, api, server)
	if err == nil && checked.Findings == nil {
		checked.Findings = []environment.Finding{}
	}
	return checked, err
}

func kubernetesAPI(ctx context.Context, e *catalog.Environment) (*environment.API, error) {
	release, err := catalog.Release(e.Kubernetes)
	if err != nil {
		return nil, err
	}
	dir, err := upstream.Module(ctx, "k8s.io/kubernetes", "v"+release)
	if err != nil {
		return nil, fmt.Errorf("%s: kubernetes: fetching the API of Kubernetes %s: %w; name a release of the Go module k8s.io/kubernetes, or check the access to the Go module proxy",
			path.Join(catalog.EnvironmentsDir, e.Name, catalog.EnvironmentFile), release, err)
	}
	return environment.NewAPI(release, os.DirFS(filepath.Join(dir, "api", "openapi-spec", "v3")))
}

// validator validates as the API server of the environment does.
func validator(ctx context.Context, e *catalog.Environment) (*apivalidate.Validator, error) {
	release, err := catalog.Release(e.Kubernetes)
	if err != nil {
		return nil, err
	}
	server, err := apivalidate.New(ctx, release)
	if err == nil && !strings.HasPrefix(release, server.Minor+".") {
		progress.From(ctx).Step("validating with the rules of Kubernetes %s, the nearest version that strake has to %s", server.Minor, release)
	}
	return server, err
}

func printEnvFindings(w io.Writer, found []environment.Finding) error {
	for _, f := range found {
		if _, err := io.WriteString(w, f.String()+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// completeEnvironments completes two environments, and packages after them.
func (a *app) completeEnvironments(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 1 {
		args = nil
	}
	return a.completeEnvironment(cmd, args, typed)
}
