package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
)

func newEnv(a *app) *cobra.Command {
	return group("env", "Render, compare and validate the environments in config/",
		`An environment is a folder in config/. It has values of the package that installs the
others, and ytt overlays on these packages, both on top of config/base. These commands
read the checkout only. They contact no cluster and no registry.`,
		"  strake env list\n  strake env render prod keda\n  strake env diff staging prod",
		newEnvList(a), newEnvValues(a), newEnvRender(a), newEnvDiff(a), newEnvValidate(a))
}

// environmentRow is one environment as it is printed.
type environmentRow struct {
	Environment string `json:"environment"`
	Kubernetes  string `json:"kubernetes"`
	Registry    string `json:"registry,omitempty"`
	Description string `json:"description"`
}

func newEnvList(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:               "list",
		Short:             "List the environments",
		Long:              "List prints the environments with the content of their environment.yml.",
		Example:           "  strake env list\n  strake env list -o json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(*cobra.Command, []string) error {
			rows, err := environmentRows(a)
			if err != nil {
				return err
			}
			return output.print(a.out(), rows, func(w io.Writer) error {
				var lines [][]string
				for _, row := range rows {
					lines = append(lines, []string{row.Environment, row.Kubernetes, row.Description})
				}
				return table(w, []string{"ENVIRONMENT", "KUBERNETES", "DESCRIPTION"}, lines)
			})
		}),
	}
	output.add(cmd)
	return cmd
}

// environmentRows are the environments that can be read. A broken one is told of
// and is in no other's way, unless all are.
func environmentRows(a *app) ([]environmentRow, error) {
	c, err := a.catalog(catalog.LeaveOutBroken)
	if err != nil {
		return nil, err
	}
	names, err := c.Environments()
	if err != nil {
		return nil, err
	}
	a.warnOfBroken(c)
	rows := []environmentRow{}
	var broken []error
	for _, name := range names {
		e, err := c.Environment(name)
		if err != nil {
			broken = append(broken, err)
			a.warn(err, "environment "+name)
			continue
		}
		rows = append(rows, environmentRow{e.Name, e.Kubernetes, e.Registry, e.Description})
	}
	if len(rows) == 0 {
		return nil, errors.Join(broken...)
	}
	return rows, nil
}

func newEnvValues(a *app) *cobra.Command {
	var flags envFlags
	cmd := &cobra.Command{
		Use:   "values ENV [PACKAGE]",
		Short: "Print the values of an environment",
		Long: `Values prints the values that a cluster of the environment gets: those of config/base,
merged with those of the environment, and the overlays. With PACKAGE, it prints only
the values of that package, in the form that the package itself accepts.`,
		Example: `  strake env values prod > values.yml
  strake env values prod --values-file one-node.yml > values.yml
  strake env values dev keda | strake render keda --values-file -`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeEnvironment,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			c, e, err := a.environment(args[0], flags)
			if err != nil {
				return err
			}
			packages, err := packageNames(c, args[1:])
			if err != nil {
				return err
			}
			text, err := environment.Values(cmd.Context(), c, e, append(packages, c.Repository.Platform)[0])
			if err != nil {
				return err
			}
			if text == nil {
				text = []byte("{}\n")
			}
			_, err = a.out().Write(text)
			return err
		}),
	}
	flags.addValues(cmd)
	return cmd
}

func newEnvRender(a *app) *cobra.Command {
	var flags envFlags
	var folder gitopsFlags
	cmd := &cobra.Command{
		Use:   "render ENV [PACKAGE...]",
		Short: "Print the objects of an environment, or write a folder for Flux",
		Long: `Render prints the objects of an environment as YAML: first those of the package that
installs the others, then those of each package. It uses the versions that
kapp-controller would choose, with their values and overlays. With PACKAGE, it prints
only the objects of these packages.

With --gitops DIR, it prints no objects. It writes a folder that Flux applies from a
git repository: the PackageRepository by digest, the service account with its
permissions, the PackageInstall with the values of the environment, and Flux
Kustomizations that wait until kapp-controller has reconciled. The same checkout
always writes the same bytes. Files that an earlier run wrote and that are no longer
required are removed. Render never changes other files: if one is in the way, it
writes nothing.

` + childMemoryHelp + `

The values are stored in the folder as plain text, and kustomize makes a Secret of
them. Put secret values into a Secret that SOPS or External Secrets creates, and name
it with --values-secret. Its values take precedence. Values that look like credentials
are refused with their path: findings of the gitleaks rules, HTTP headers that carry
credentials, and passwords in URLs. References to environment variables, such as
${TOKEN}, are accepted.

DIR/README.md lists the Secrets and ConfigMaps that the environment refers to and does
not create. To add Secrets that SOPS has encrypted, store them as
DIR/prerequisites/NAME.sops.yaml and run the command again.`,
		Example: `  strake env render prod
  strake env render dev keda
  strake env render prod --values-file one-node.yml --repository registry.example.com/platform
  strake env render prod --gitops clusters/prod/platform --repository registry.example.com/platform:0.1.0
  strake env render prod --gitops clusters/prod/platform --values-secret platform-secrets --depends-on secrets`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeEnvironment,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			if err := folder.check(cmd, args[1:]); err != nil {
				return err
			}
			if folder.dir != "" {
				return a.writeGitops(cmd.Context(), args[0], flags, folder)
			}
			// A tag or a digest says which repository bundle Flux takes; images
			// are named in a repository.
			if err := oci.CheckRepository(flags.repository); flags.repository != "" && err != nil {
				return usagef("--repository without --gitops: %w", err)
			}
			rendered, err := a.rendered(cmd.Context(), flags, args[1:], args[0])
			if err != nil {
				return err
			}
			return printPackages(a.out(), rendered[0])
		}),
	}
	flags.addValues(cmd)
	flags.addRepository(cmd)
	folder.add(a, cmd)
	return cmd
}

func printPackages(w io.Writer, packages []environment.Package) error {
	for _, p := range packages {
		if _, err := fmt.Fprintf(w, "# %s\n", p.Version.ID()); err != nil {
			return err
		}
		if err := manifest.Encode(w, p.Objects); err != nil {
			return err
		}
	}
	return nil
}

// completeEnvironment completes an environment, and packages after it.
func (a *app) completeEnvironment(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := a.catalog(catalog.AllowMissingLocks, catalog.LeaveOutBroken)
	if err != nil {
		cobra.CompErrorln(err.Error())
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if len(args) == 0 {
		names, err := c.Environments()
		if err != nil {
			cobra.CompErrorln(err.Error())
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, p := range c.Packages {
		names = append(names, p.Name)
	}
	return without(names, args[1:]), cobra.ShellCompDirectiveNoFileComp
}
