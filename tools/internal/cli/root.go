package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// globalFlags are those of every command.
type globalFlags struct {
	root     string
	timeout  time.Duration
	noColor  bool
	quiet    bool
	progress progress.Mode
}

func (f *globalFlags) mode() progress.Mode {
	if f.quiet {
		return progress.None
	}
	return f.progress
}

func (f *globalFlags) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&f.root, "root", "", "`folder` of the checkout (default: the nearest parent folder with repo/repository.yml)")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop the command after this time, such as 90s or 10m; 0 means no limit")
	flags.BoolVar(&f.noColor, "no-color", false, "do not color the output; NO_COLOR in the environment does the same")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress, only data and errors")
	persistentEnumFlag(root, &f.progress, "progress", "how progress is shown on stderr", progress.Modes()...)
	mustComplete(root, "root", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "strake",
		Short: "Build, test and publish a Carvel package repository",
		Long: `Strake is a Carvel package repository and the tool that builds it.

The go.mod of a package version locks it: the manifests and the images come from
the Go module of the upstream project. "strake build" builds the bundles of the
repository, "strake push" sends them to a registry, and "strake up" installs them
on a local cluster.

Data goes to stdout, progress and errors go to stderr. "strake help exit-codes"
describes the exit codes.`,
		Example: `  strake up
  strake build
  strake push --to registry.example.com/platform`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          subcommandRequired,

		PersistentPreRunE: refuseNegative,
	}
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	// The flag is ours, since cobra's own has a shorthand, -v, which elsewhere means
	// verbose.
	root.Version = readBuildInfo().String()
	root.Flags().Bool("version", false, "print the version of strake")
	root.SetVersionTemplate("{{.Version}}\n")
	a.global.add(root)
	addCommands(a, root)
	return root
}

// refuseNegative refuses numbers and durations below zero: no flag of any command has
// a meaning for them.
func refuseNegative(cmd *cobra.Command, _ []string) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "duration", "int", "int32", "int64", "float64":
			if strings.HasPrefix(f.Value.String(), "-") {
				err = usagef("--%s %s is negative; pass 0 or more", f.Name, f.Value)
			}
		}
	})
	return err
}

// The groups in which help lists the commands.
const (
	groupContent = "content"
	groupCarry   = "carry"
	groupCluster = "cluster"
)

func addCommands(a *app, root *cobra.Command) {
	root.AddGroup(
		&cobra.Group{ID: groupContent, Title: "Packages:"},
		&cobra.Group{ID: groupCarry, Title: "Registries:"},
		&cobra.Group{ID: groupCluster, Title: "Clusters:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupContent, newList(a), newDocs(a), newNew(a), newBuild(a), newVerify(a), newLint(a), newRender(a), newRBAC(a), newRequires(a), newEnv(a), newImages(a), newUpstream(a))
	add(groupCarry, newPush(a), newRegistry(a))
	add(groupCluster, newUp(a), newDoctor(a), newStatus(a), newExample(a), newUninstall(a), newDown(a))
	add("", newCache(a), newVersion(a), newReference(a), newReadmes(a), newExitCodes())
	addCompletion(root)
}

// addCompletion makes cobra's own command and gives it the example that each
// of ours has.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	c, _, err := root.Find([]string{"completion"})
	if err != nil {
		panic(err)
	}
	c.Example = "  source <(strake completion bash)"
	for _, shell := range c.Commands() {
		shell.Example = fmt.Sprintf("  strake completion %s", shell.Name())
	}
}

// newExitCodes is a topic of "strake help".
func newExitCodes() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesHelp}
}

// group makes a command that only has others below it.
func group(use, short, long, example string, below ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: cobra.ArbitraryArgs, RunE: subcommandRequired,
	}
	g.AddCommand(below...)
	return g
}

// subcommandRequired shows help, or says which command was meant: cobra by
// itself shows help, successfully, for a misspelt subcommand.
func subcommandRequired(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	message := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2 // letters to change; cobra's own default, but not for all of its ways
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		message += "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return usageError{errors.New(message)}
}
