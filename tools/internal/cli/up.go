package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/platform"
)

func newUp(a *app) *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring up a cluster on this machine with packages on it",
		Long: `Up makes a kind cluster with a registry beside it, puts the real kapp-controller
on it, offers the repository of this checkout, and installs packages from it,
in the order in which they require each other ("strake requires"); what one of
them cannot do without is added. Without --package these are all that are
published, but for those that install others: --package platform has the others
installed by that package, with the values of the environment dev.
It can be run again at any time: what is done already is left alone.

The first run builds images from source, and the node image too where the
published one cannot be pulled, which takes its time; see the README.`,
		Example: `  strake up
  strake up --package keda@2.20.2 --values keda=my-values.yml
  strake up --no-packages
  strake up --context my-cluster --registry 10.0.0.5:5000
  strake up --dry-run`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			plan, err := a.plan(flags)
			if err != nil {
				return err
			}
			if flags.dryRun {
				return printPlan(a.out(), flags.output, plan)
			}
			return up(cmd.Context(), a, flags, plan)
		}),
	}
	flags.add(a, cmd)
	return cmd
}

func (a *app) plan(f upFlags) (*platform.Plan, error) {
	c, err := a.catalog()
	if err != nil {
		return nil, err
	}
	packages, err := f.chosen(c)
	if err != nil {
		return nil, err
	}
	values, err := platform.Values(c, f.values)
	if err != nil {
		return nil, err
	}
	cluster := f.cluster.options
	cluster.AllowInstall = !f.noInstall
	return platform.New(c, platform.Options{Packages: packages, Values: values, Namespace: f.namespace, Cluster: cluster})
}

// chosen are the versions that the flags name.
func (f *upFlags) chosen(c *catalog.Catalog) ([]*catalog.Version, error) {
	switch {
	case f.none:
		return nil, nil
	case len(f.packages) == 0:
		return platform.Default(c), nil
	}
	var versions []*catalog.Version
	var errs []error
	for _, arg := range f.packages {
		v, err := c.Find(arg)
		versions, errs = append(versions, v), append(errs, err)
	}
	return versions, errors.Join(errs...)
}

func printPlan(w io.Writer, output outputFlags, plan *platform.Plan) error {
	steps := []string{}
	for _, step := range plan.Steps() {
		steps = append(steps, step.Says)
	}
	return output.print(w, map[string]any{"steps": steps}, func(w io.Writer) error {
		for i, step := range steps {
			fmt.Fprintf(w, "%d. %s\n", i+1, step)
		}
		return nil
	})
}

func up(ctx context.Context, a *app, f upFlags, plan *platform.Plan) error {
	result, err := plan.Up(ctx)
	if err != nil {
		return err
	}
	return f.output.print(a.out(), result, func(w io.Writer) error { return printUp(w, f, result) })
}

func printUp(w io.Writer, f upFlags, r *platform.Result) error {
	fmt.Fprintf(w, "\nThe cluster %s is ready, with the registry %s.\n\n", r.Cluster.Context, r.Cluster.RegistryPush)
	for _, i := range r.Installed {
		fmt.Fprintf(w, "  %s %s is installed as %s/%s", i.Package, i.Version, i.Namespace, i.Name)
		if len(i.RequiredBy) > 0 {
			fmt.Fprintf(w, ", which %s requires", strings.Join(i.RequiredBy, ", "))
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintf(w, `
What to type next:

  export KUBECONFIG=%s
  kubectl config use-context %s
  kubectl get packages,packageinstalls -A
  kctrl package available list -n %s
  kctrl package installed list -A
  %s
%s`, r.Cluster.Kubeconfig, r.Cluster.Context, f.namespace, downCommand(f), missingClients(exec.LookPath))
	return err
}

// missingClients tells where to get the commands that were named, if they are
// not there to be typed.
func missingClients(find func(name string) (string, error)) string {
	var hints strings.Builder
	for _, client := range [][2]string{
		{"kubectl", "https://kubernetes.io/docs/tasks/tools/"},
		{"kctrl", "https://carvel.dev/kapp-controller/docs/latest/install/#installing-kapp-controller-cli-kctrl"},
	} {
		if _, err := find(client[0]); err != nil {
			fmt.Fprintf(&hints, "\n%s is not on PATH here: %s\n", client[0], client[1])
		}
	}
	return hints.String()
}

// downCommand is what removes all of it again; an existing cluster stays.
func downCommand(f upFlags) string {
	o := f.cluster.options
	if o.Context != "" {
		return fmt.Sprintf("kctrl package installed delete -i PACKAGE -n %s", f.namespace)
	}
	command := os.Args[0] + " down" // as it was called: make runs it out of .build
	if o.Name != devcluster.DefaultName {
		command += " --name " + o.Name
	}
	if o.Kubeconfig != "" {
		command += " --kubeconfig " + o.Kubeconfig
	}
	return command
}
