package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
)

type requiresFlags struct {
	check  bool
	target targetFlags
	output outputFlags
}

// requiresRow is one need of a version as it is printed.
type requiresRow struct {
	// By is the version that has the need, as in "keda 2.21.0".
	By         string `json:"by"`
	Package    string `json:"package"`
	Constraint string `json:"constraint"`
	Optional   bool   `json:"optional"`
	// When is the condition on the values under which an optional need counts.
	When   string `json:"when,omitempty"`
	API    string `json:"api,omitempty"`
	Reason string `json:"reason"`
	// Found says what satisfies the need on the cluster; empty for nothing.
	Found string `json:"found,omitempty"`
}

func newRequires(a *app) *cobra.Command {
	var flags requiresFlags
	cmd := &cobra.Command{
		Use:   "requires [PACKAGE[@VERSION]...]",
		Short: "List the dependencies of packages, and check a cluster for them",
		Long: `Requires lists the dependencies of packages: which packages must be on a cluster
first, and why. "strake up" installs the dependencies in this order.

With --check, it checks a cluster before you install a package there. A dependency is
satisfied by a PackageInstall that has reconciled a version in the range, or by any
software that serves the required API. Check also finds CRDs of which the cluster
stores objects in a version that the package no longer has. The API server refuses
such a CRD. The exit code is 3 if a dependency is missing or a CRD would be refused.`,
		Example: `  strake requires
  strake requires keda@2.21.0 -o json
  strake requires keda --check --context my-cluster`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			return requires(cmd.Context(), a, flags, args)
		}),
	}
	cmd.Flags().BoolVar(&flags.check, "check", false, "check whether a cluster satisfies the dependencies")
	flags.target.add(cmd)
	flags.output.add(cmd)
	return cmd
}

func requires(ctx context.Context, a *app, f requiresFlags, args []string) error {
	c, versions, err := a.selected(args, catalog.LeaveOutBroken)
	if err != nil {
		return err
	}
	rows, faults := requiresRows(versions), []error(nil)
	if f.check {
		client, err := f.target.client()
		if err != nil {
			return err
		}
		if err := findNeeds(ctx, client, c.Repository, rows); err != nil {
			return err
		}
		if faults, err = storedFaults(ctx, client, c, versions); err != nil {
			return err
		}
	}
	if err := f.output.print(a.out(), rows, func(w io.Writer) error { return printRequires(w, f.check, rows) }); err != nil || !f.check {
		return err
	}
	if missing := missingNeeds(rows); len(missing) > 0 {
		faults = append(faults, fmt.Errorf("the cluster lacks %s: install that first", strings.Join(missing, ", ")))
	}
	if len(faults) > 0 {
		return findingsError{errors.Join(faults...)}
	}
	return nil
}

func requiresRows(versions []*catalog.Version) []requiresRow {
	rows := []requiresRow{}
	for _, v := range versions {
		for _, r := range v.Requires {
			rows = append(rows, requiresRow{
				By: v.ID(), Package: r.Package, Constraint: r.Constraint, Optional: r.Optional, When: r.When, API: r.API, Reason: strings.TrimSpace(r.Reason),
			})
		}
	}
	return rows
}

// findNeeds fills in what the cluster has.
func findNeeds(ctx context.Context, client *install.Client, repo catalog.Repository, rows []requiresRow) error {
	present, err := client.Present(ctx)
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		need := catalog.Requirement{Constraint: row.Constraint}
		if at := slices.IndexFunc(present[repo.FullName(row.Package)], need.Admits); at >= 0 {
			row.Found = row.Package + " " + present[repo.FullName(row.Package)][at]
			continue
		}
		if row.API == "" {
			continue
		}
		served, err := client.Serves(row.API)
		if err != nil {
			return err
		}
		if served {
			row.Found = row.API + ", of unknown version"
		}
	}
	return nil
}

func missingNeeds(rows []requiresRow) []string {
	var missing []string
	for _, row := range rows {
		need := row.Package + " " + row.Constraint
		if row.Found == "" && !row.Optional && !slices.Contains(missing, need) {
			missing = append(missing, need)
		}
	}
	return missing
}

func printRequires(w io.Writer, checked bool, rows []requiresRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "nothing is required")
		return err
	}
	head := []string{"VERSION", "REQUIRES", "RANGE", "NEEDED"}
	if checked {
		head = append(head, "FOUND")
	}
	var lines [][]string
	for _, row := range rows {
		needed := "always"
		if row.Optional {
			needed = "by values"
		}
		line := []string{row.By, row.Package, row.Constraint, needed}
		if checked {
			line = append(line, found(row))
		}
		lines = append(lines, append(line, row.Reason))
	}
	return table(w, append(head, "REASON"), lines)
}

func found(row requiresRow) string {
	if row.Found == "" {
		return "missing"
	}
	return row.Found
}
