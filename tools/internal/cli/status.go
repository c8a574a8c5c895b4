package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
	"github.com/strake-dev/strake/tools/internal/devcluster/kapp"
	"github.com/strake-dev/strake/tools/internal/names"
	"github.com/strake-dev/strake/tools/internal/platform"
	"github.com/strake-dev/strake/tools/internal/progress"
)

type statusFlags struct {
	target            targetFlags
	namespace         string
	all, drift, watch bool
	output            outputFlags
}

// statusRow is a PackageInstall as it is printed.
type statusRow struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Package   string `json:"package"`
	// Version is what runs; an install whose images are of several versions has none.
	Version string `json:"version"`
	Ready   bool   `json:"ready"`
	// Reason is one line of why it is not ready, Message all of it.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	Newer   string `json:"newer,omitempty"`
	// Drift is left out where nobody asked for it.
	Drift []kapp.Change `json:"drift,omitempty"`
}

func newStatus(a *app) *cobra.Command {
	var flags statusFlags
	cmd := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show whether installed packages are ready, and what has drifted",
		Long: `Status lists the PackageInstalls of a namespace: the running version, whether the
install is ready or why not, and a newer version if the cluster offers one. Status
derives the running version from the objects that kapp-controller deployed and from
the images of the workloads. The PackageInstall itself names only the version that it
attempts to install. "-o yaml" prints messages in full.

With --drift, strake renders each install from this checkout, with its values and
overlays, and compares it with the cluster by means of kapp. It lists what the next
reconciliation would change, and writes nothing to the cluster.

The exit code is 3 if an install is not ready or has drifted.`,
		Example: `  strake status
  strake status keda -n platform --context my-cluster
  strake status -A --drift
  strake status --watch`,
		Args:              objectNames,
		ValidArgsFunction: target(flags.target.target).completeInstalled(&flags.namespace),
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			return status(cmd.Context(), a, flags, args)
		}),
	}
	flags.target.add(cmd)
	f := cmd.Flags()
	namespaceFlag(cmd, &flags.namespace, namespaceName, platform.DefaultNamespace, "`namespace` of the PackageInstalls", flags.target.target)
	f.BoolVarP(&flags.all, "all-namespaces", "A", false, "list PackageInstalls of all namespaces")
	f.BoolVar(&flags.drift, "drift", false, "list what the next reconciliation would change")
	f.BoolVarP(&flags.watch, "watch", "w", false, "print the list again whenever it changes, until interrupted")
	flags.output.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("namespace", "all-namespaces")
	cmd.MarkFlagsMutuallyExclusive("drift", "watch")
	return cmd
}

func status(ctx context.Context, a *app, f statusFlags, args []string) error {
	c, err := a.catalogIfThere()
	if err != nil {
		return err
	}
	if f.drift && c == nil {
		return errors.New("--drift requires a checkout: change to one, or pass it with --root")
	}
	client, err := f.target.client()
	if err != nil {
		return err
	}
	if f.watch {
		return watchStatus(ctx, a, f, client, c, args)
	}
	statuses, err := chosenStatuses(ctx, client, f, args)
	if err != nil {
		return err
	}
	rows := statusRows(c, statuses)
	if f.drift {
		if err := addDrift(ctx, client, c, f, statuses, rows); err != nil {
			return err
		}
	}
	if err := f.output.print(a.out(), rows, func(w io.Writer) error { return printStatus(w, rows) }); err != nil {
		return err
	}
	return statusFindings(rows)
}

// catalogIfThere is nil outside a checkout, where a cluster has a status, too.
func (a *app) catalogIfThere() (*catalog.Catalog, error) {
	if a.global.root == "" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		if _, err := catalog.FindRoot(dir); err != nil {
			return nil, nil //nolint:nilnil,nilerr // what a checkout adds is optional
		}
	}
	return a.catalog(catalog.AllowMissingLocks, catalog.LeaveOutBroken)
}

// chosenStatuses are those of the names, or all without any. A name that is not
// there is an error: a script that waits for it would otherwise succeed.
func chosenStatuses(ctx context.Context, client *install.Client, f statusFlags, wanted []string) ([]install.Status, error) {
	namespace, where := f.namespace, "the namespace "+f.namespace
	if f.all {
		namespace, where = "", "any namespace"
	}
	statuses, err := client.Statuses(ctx, namespace)
	if err != nil || len(wanted) == 0 {
		return statuses, err
	}
	var known []string
	for _, s := range statuses {
		known = append(known, s.Name)
	}
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return nil, names.Unknownf("no PackageInstall %q in %s; %s", name, where, names.Hint(name, known))
		}
	}
	return slices.DeleteFunc(statuses, func(s install.Status) bool { return !slices.Contains(wanted, s.Name) }), nil
}

func statusRows(c *catalog.Catalog, statuses []install.Status) []statusRow {
	rows := []statusRow{}
	for _, s := range statuses {
		row := statusRow{
			Namespace: s.Namespace, Name: s.Name, Package: s.Package, Version: s.Version,
			Ready: s.Message == "", Message: s.Message, Reason: install.Reason(s.Message),
		}
		if c != nil {
			addCheckout(&row, c, s)
		}
		row.Newer = platform.Newer(cmp.Or(row.Version, s.Version), s.Offered)
		rows = append(rows, row)
	}
	return rows
}

// addCheckout corrects a row by what the checkout knows: the package's short name
// and the images of its versions.
func addCheckout(row *statusRow, c *catalog.Catalog, s install.Status) {
	row.Package = strings.TrimSuffix(s.Package, "."+c.Repository.Domain)
	runs := platform.Runs(c, s)
	row.Version = strings.Join(runs, " or ")
	if !row.Ready || len(runs) == 1 && runs[0] == s.Version {
		return
	}
	row.Ready = false
	row.Reason = fmt.Sprintf("%s is deployed, but its workloads run images of %s", s.Version, cmp.Or(row.Version, "several versions"))
	row.Message = row.Reason
}

// addDrift fills in what kapp would change. An install for which that is not known,
// say since the checkout is another one's, is not ready for its reason.
func addDrift(ctx context.Context, client *install.Client, c *catalog.Catalog, f statusFlags, statuses []install.Status, rows []statusRow) error {
	at := kapp.Target{Kubeconfig: f.target.kubeconfig, Context: f.target.context}
	for i, s := range statuses {
		if s.Version == "" {
			continue // nothing is deployed
		}
		progress.From(ctx).Step("comparing %s/%s with the cluster", s.Namespace, s.Name)
		changes, err := platform.Drift(ctx, c, client, at, s)
		if err != nil {
			return fmt.Errorf("PackageInstall %s/%s: %w", s.Namespace, s.Name, err)
		}
		rows[i].Drift = changes
	}
	return nil
}

func printStatus(w io.Writer, rows []statusRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no package is installed here")
		return err
	}
	var lines [][]string
	for _, row := range rows {
		lines = append(lines, []string{row.Namespace, row.Name, row.Package, cmp.Or(row.Version, "-"), cmp.Or(row.Newer, "-"), state(row)})
	}
	if err := table(w, []string{"NAMESPACE", "NAME", "PACKAGE", "VERSION", "NEWER", "STATUS"}, lines); err != nil {
		return err
	}
	for _, row := range rows {
		for _, change := range row.Drift {
			fmt.Fprintf(w, "\n%s/%s: %s %s\n%s", row.Namespace, row.Name, change.Op, change.Object, change.Diff)
		}
	}
	return nil
}

func state(row statusRow) string {
	words := "ready"
	if !row.Ready {
		words = row.Reason
	}
	if n := len(row.Drift); n > 0 {
		words += fmt.Sprintf("; drifted: %d to change", n)
	}
	return words
}

func statusFindings(rows []statusRow) error {
	var unready, drifted []string
	for _, row := range rows {
		if !row.Ready {
			unready = append(unready, row.Namespace+"/"+row.Name)
		}
		if len(row.Drift) > 0 {
			drifted = append(drifted, row.Namespace+"/"+row.Name)
		}
	}
	var words []string
	if len(unready) > 0 {
		words = append(words, "not ready: "+strings.Join(unready, ", "))
	}
	if len(drifted) > 0 {
		words = append(words, "drifted: "+strings.Join(drifted, ", "))
	}
	if len(words) == 0 {
		return nil
	}
	return findingsf("%s", strings.Join(words, "; "))
}

// watchInterval is the pause between two questions to the cluster.
const watchInterval = 2 * time.Second

// watchStatus prints the list whenever it has changed, until ctx ends.
func watchStatus(ctx context.Context, a *app, f statusFlags, client *install.Client, c *catalog.Catalog, args []string) error {
	var before []statusRow
	for {
		statuses, err := chosenStatuses(ctx, client, f, args)
		if err != nil {
			return err
		}
		rows := statusRows(c, statuses)
		if !reflect.DeepEqual(rows, before) {
			if err := f.output.print(a.out(), rows, func(w io.Writer) error { return printStatus(w, rows) }); err != nil {
				return err
			}
		}
		before = rows
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(watchInterval):
		}
	}
}
