package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/platform"
)

func newDoctor(a *app) *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether \"strake up\" can work on this machine",
		Long: `Doctor runs the checks with which "strake up" begins, and compiles nothing. It checks
the container engine or the existing cluster, Go, disk, memory, and the values of the
packages. It also estimates how long "strake up" with the same flags takes, and lists
what it has to compile. Images that a repository of --images-from has are not compiled.

Each failed check comes with a remedy. The exit code is 1 if a check fails. Warnings
do not change the exit code.`,
		Example: `  strake doctor
  strake doctor --all
  strake doctor --package keda --values keda=my-values.yml
  strake doctor --context my-cluster --registry 10.0.0.5:5000 -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			plan, err := a.plan(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			report, err := plan.Check(cmd.Context())
			if err != nil {
				return err
			}
			if err := flags.output.print(a.out(), report, func(w io.Writer) error { return printReport(w, report) }); err != nil {
				return err
			}
			return report.Err()
		}),
	}
	flags.addPlan(a, cmd)
	return cmd
}

func printReport(w io.Writer, r *platform.Report) error {
	for _, c := range r.Checks {
		fmt.Fprintf(w, "%-7s  %s\n", c.Status, c)
	}
	_, err := fmt.Fprintf(w, "\nTime: %s.\n", r.Estimate)
	return err
}
