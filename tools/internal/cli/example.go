package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/example"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/platform"
	"github.com/strake-dev/strake/tools/internal/progress"
)

type exampleFlags struct {
	target    targetFlags
	namespace string
	remove    bool
	dryRun    bool
	output    outputFlags
}

func newExample(a *app) *cobra.Command {
	var flags exampleFlags
	cmd := &cobra.Command{
		Use:   "example [PACKAGE [EXAMPLE]]",
		Short: "Run an example of a package on a cluster",
		Long: `Example applies an example of a package to a cluster on which the package is
installed, and prints live what happens. The objects are in a namespace of their own,
which --delete removes. Without PACKAGE, it lists the examples.

Omit EXAMPLE if the package has only one. Examples are in packages/PACKAGE/examples.`,
		Example: `  strake example
  strake example keda
  strake example keda scale --delete
  strake example keda scale --dry-run`,
		Args:              cobra.MaximumNArgs(2),
		ValidArgsFunction: a.completeExamples,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			c, err := a.catalog(catalog.AllowMissingLocks)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return printExamples(a.out(), flags.output, c)
			}
			e, err := findExample(c, args)
			if err != nil {
				return usageError{err}
			}
			if flags.namespace == "" {
				flags.namespace = platform.ExampleNamespace(e)
			}
			return flags.do(cmd.Context(), a, e)
		}),
	}
	flags.target.add(cmd)
	cmd.Flags().StringVar(&flags.namespace, "target-namespace", "", "`namespace` to create for the example (default: example-PACKAGE-EXAMPLE)")
	mustComplete(cmd, "target-namespace", cobra.NoFileCompletions)
	cmd.Flags().BoolVar(&flags.remove, "delete", false, "remove the example from the cluster")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "print the objects and apply nothing")
	cmd.MarkFlagsMutuallyExclusive("delete", "dry-run")
	flags.output.add(cmd)
	return cmd
}

func findExample(c *catalog.Catalog, args []string) (*catalog.Example, error) {
	p, err := c.Package(args[0])
	if err != nil {
		return nil, err
	}
	name := ""
	if len(args) > 1 {
		name = args[1]
	}
	return p.Example(name)
}

func (f *exampleFlags) do(ctx context.Context, a *app, declared *catalog.Example) error {
	if f.dryRun {
		objects, err := platform.ExampleManifests(declared, f.namespace)
		if err != nil {
			return err
		}
		return f.output.print(a.out(), objects, func(w io.Writer) error { return manifest.Encode(w, objects) })
	}
	e, err := platform.Example(declared, f.namespace)
	if err != nil {
		return err
	}
	config, err := devcluster.RESTConfig(f.target.kubeconfig, f.target.context)
	if err != nil {
		return err
	}
	client, err := example.New(config)
	if err != nil {
		return err
	}
	if f.remove {
		if err := client.Delete(ctx, e); err != nil {
			return err
		}
		progress.From(ctx).Step("nothing of the example %s of %s is left in the namespace %s", e.Name, e.Package, e.Namespace)
		return nil
	}
	result, err := client.Run(ctx, e)
	if err != nil {
		return err
	}
	return f.output.print(a.out(), result, func(w io.Writer) error {
		printExample(w, result)
		_, err := fmt.Fprintf(w, "Remove it: %s\n", f.deleteCommand(declared))
		return err
	})
}

// printExample prints one line for each step: which values its field had.
func printExample(w io.Writer, r *example.Result) {
	for _, step := range r.Steps {
		var values []string
		for _, v := range step.Values {
			values = append(values, v.Value)
		}
		fmt.Fprintf(w, "%s\n  %s: %s %s\n", step.Says, step.Object, step.Label, strings.Join(values, " → "))
	}
}

// deleteCommand removes what the same command without --delete applied.
func (f *exampleFlags) deleteCommand(e *catalog.Example) string {
	command := []string{os.Args[0], "example", e.Package.Name, e.Name, "--delete"}
	for _, flag := range [][2]string{{"kubeconfig", f.target.kubeconfig}, {"context", f.target.context}} {
		if flag[1] != "" {
			command = append(command, "--"+flag[0], flag[1])
		}
	}
	if f.namespace != platform.ExampleNamespace(e) {
		command = append(command, "--target-namespace", f.namespace)
	}
	return strings.Join(command, " ")
}

// exampleRow is one example as it is listed.
type exampleRow struct {
	Package string `json:"package"`
	Example string `json:"example"`
	Summary string `json:"summary"`
}

func printExamples(w io.Writer, output outputFlags, c *catalog.Catalog) error {
	rows := []exampleRow{}
	for _, p := range c.Packages {
		for _, e := range p.Examples {
			rows = append(rows, exampleRow{p.Name, e.Name, e.Summary})
		}
	}
	return output.print(w, rows, func(w io.Writer) error {
		var lines [][]string
		for _, r := range rows {
			lines = append(lines, []string{r.Package, r.Example, r.Summary})
		}
		return table(w, []string{"PACKAGE", "EXAMPLE", "SUMMARY"}, lines)
	})
}

// completeExamples offers the packages that have examples, and then their names.
func (a *app) completeExamples(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := a.catalog(catalog.AllowMissingLocks)
	if err != nil {
		cobra.CompErrorln(err.Error())
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offers []cobra.Completion
	for _, p := range c.Packages {
		switch {
		case len(p.Examples) > 0 && len(args) == 0:
			offers = append(offers, cobra.CompletionWithDesc(p.Name, p.Metadata.ShortDescription))
		case len(args) == 1 && args[0] == p.Name:
			for _, e := range p.Examples {
				offers = append(offers, cobra.CompletionWithDesc(e.Name, e.Summary))
			}
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}
