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
		Short: "Create a local cluster and install packages on it",
		Long: `Up creates a kind cluster with a registry, deploys kapp-controller, adds the package
repository of this checkout, and installs packages. Without flags, it installs the
quickstart package of repo/repository.yml and runs its example. --all installs every
package except those that install others. "--package platform" installs the others
through the package platform, with the values of the environment dev. Dependencies are
installed first.

You can run it again at any time: it skips what is already done. It compiles images
package by package, so the first package is usable while the next one compiles. If a
package fails, only the packages that depend on it are skipped.

` + imagesFromHelp + `

Up first checks the machine, the cluster and the values of all packages, and estimates
the time; see "strake doctor". The first run compiles images, and also the node image
if the published one cannot be pulled.`,
		Example: `  strake up
  strake up --all
  strake up --package keda@2.20.2 --values keda=my-values.yml
  strake up --no-packages
  strake up --images-from registry.example.com/platform
  strake up --context my-cluster --registry 10.0.0.5:5000
  strake up --dry-run`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			plan, err := a.plan(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			if flags.dryRun {
				return dryRun(cmd.Context(), a, flags, plan)
			}
			return up(cmd.Context(), a, flags, plan)
		}),
	}
	flags.add(a, cmd)
	return cmd
}

func (a *app) plan(ctx context.Context, f *upFlags) (*platform.Plan, error) {
	c, err := a.catalog()
	if err != nil {
		return nil, err
	}
	packages, example, err := f.chosen(c)
	if err != nil {
		return nil, err
	}
	values, err := platform.Values(ctx, c, f.values)
	if err != nil {
		return nil, err
	}
	cluster := f.cluster.options
	cluster.AllowInstall = !f.noInstall
	f.mirrors.open(c, f.reach.options())
	return platform.New(c, platform.Options{
		Packages: packages, Values: values, Namespace: f.namespace, Example: example, Cluster: cluster, Mirrors: f.mirrors.opened,
	})
}

// chosen are the versions to install, and the example to run. A package without a
// version is its newest published one.
func (f *upFlags) chosen(c *catalog.Catalog) ([]*catalog.Version, *catalog.Example, error) {
	quick := c.Repository.Quickstart
	switch {
	case f.none:
		return nil, nil, nil
	case len(f.packages) > 0:
		versions, err := f.named(c)
		return versions, nil, err
	case f.all || quick == nil:
		return platform.Default(c), nil, nil
	}
	p, err := c.Package(quick.Package)
	if err != nil || f.noExample {
		return platform.Default(c, quick.Package), nil, err
	}
	example, err := p.Example(quick.Example)
	return platform.Default(c, quick.Package), example, err
}

// named are the versions that --package names.
func (f *upFlags) named(c *catalog.Catalog) ([]*catalog.Version, error) {
	var versions []*catalog.Version
	var errs []error
	for _, arg := range f.packages {
		v, err := c.Find(arg)
		versions, errs = append(versions, v), append(errs, err)
	}
	return versions, errors.Join(errs...)
}

// dryRun checks what up checks first, and prints the steps.
func dryRun(ctx context.Context, a *app, f upFlags, plan *platform.Plan) error {
	report, err := plan.Check(ctx)
	if err != nil {
		return err
	}
	steps := plan.Steps()
	data := map[string]any{"steps": steps, "checks": report.Checks, "estimate": report.Estimate}
	err = f.output.print(a.out(), data, func(w io.Writer) error {
		for i, step := range steps {
			fmt.Fprintf(w, "%d. %s\n", i+1, step)
		}
		fmt.Fprintln(w)
		return printReport(w, report)
	})
	if err != nil {
		return err
	}
	return report.Err()
}

// up prints what is installed even if something else failed.
func up(ctx context.Context, a *app, f upFlags, plan *platform.Plan) error {
	result, failed := plan.Up(ctx)
	if result == nil {
		return failed
	}
	err := f.output.print(a.out(), result, func(w io.Writer) error { return printUp(w, f, result) })
	return errors.Join(failed, err)
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
	if e := r.Example; e != nil {
		fmt.Fprintf(w, "\nThe example %s of %s ran in the namespace %s:\n\n", e.Example, e.Package, e.Namespace)
		printExample(w, e)
	}
	_, err := fmt.Fprintf(w, `
What to type next:

  export KUBECONFIG=%s
  kubectl config use-context %s
  kubectl get packages,packageinstalls -A
  kctrl package available list -n %s
  kctrl package installed list -A
%s  %s
%s`, r.Cluster.Kubeconfig, r.Cluster.Context, f.namespace, exampleCommands(r), downCommand(f), missingClients(exec.LookPath))
	return err
}

// exampleCommands run the example again and remove it, or list those that there are.
func exampleCommands(r *platform.Result) string {
	if r.Example == nil {
		return fmt.Sprintf("  %s example\n", os.Args[0])
	}
	name := r.Example.Package + " " + r.Example.Example
	return fmt.Sprintf("  %[1]s example %[2]s\n  %[1]s example %[2]s --delete\n  %[1]s up --all\n", os.Args[0], name)
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
