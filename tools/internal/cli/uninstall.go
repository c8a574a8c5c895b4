package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/devcluster/install"
	"github.com/strake-dev/strake/tools/internal/names"
	"github.com/strake-dev/strake/tools/internal/platform"
	"github.com/strake-dev/strake/tools/internal/progress"
)

type uninstallFlags struct {
	target                targetFlags
	namespace             string
	deleteObjects, dryRun bool
	confirm               confirmFlag
	output                outputFlags
}

// uninstallRow is one PackageInstall and what goes with it.
type uninstallRow struct {
	Namespace string               `json:"namespace"`
	Name      string               `json:"name"`
	Objects   []install.UserObject `json:"objects"`
}

func newUninstall(a *app) *cobra.Command {
	var flags uninstallFlags
	cmd := &cobra.Command{
		Use:   "uninstall NAME...",
		Short: "Delete installed packages",
		Long: `Uninstall deletes PackageInstalls and waits until all of their objects are gone. It
lists what it deletes. On a terminal, it asks first. Scripts must pass --yes.

Deleting a package deletes its CRDs and all of their custom resources. If users have
created custom resources, uninstall lists them and deletes nothing unless you pass
--delete-objects. It does not list objects that a controller created for another
object, nor objects of CRDs that are kept.

Uninstall also deletes the values, the overlays and the account that "strake up" has
created for a PackageInstall, even if the PackageInstall itself is already gone.`,
		Example: `  strake uninstall keda
  strake uninstall keda -n platform --dry-run -o json
  strake uninstall keda --delete-objects --yes`,
		Args:              cobra.MatchAll(cobra.MinimumNArgs(1), objectNames),
		ValidArgsFunction: target(flags.target.target).completeInstalled(&flags.namespace),
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			return uninstall(cmd.Context(), a, flags, args)
		}),
	}
	flags.target.add(cmd)
	f := cmd.Flags()
	namespaceFlag(cmd, &flags.namespace, namespaceName, platform.DefaultNamespace, "`namespace` of the PackageInstalls", flags.target.target)
	f.BoolVar(&flags.deleteObjects, "delete-objects", false, "also delete custom resources of the packages that users created")
	f.BoolVar(&flags.dryRun, "dry-run", false, "list what would be deleted, and delete nothing")
	flags.confirm.add(cmd)
	flags.output.add(cmd)
	return cmd
}

func uninstall(ctx context.Context, a *app, f uninstallFlags, args []string) error {
	if !f.dryRun {
		if err := f.confirm.check(a); err != nil {
			return err
		}
	}
	client, err := f.target.client()
	if err != nil {
		return err
	}
	rows, lost, err := losses(ctx, client, f.namespace, args)
	if err != nil {
		return err
	}
	if err := f.output.print(a.out(), rows, func(w io.Writer) error { return printLosses(w, rows) }); err != nil {
		return err
	}
	if f.dryRun {
		return nil
	}
	if lost > 0 && !f.deleteObjects {
		return findingsf("%d objects would be lost with these packages, so nothing was deleted: delete them first, or give --delete-objects", lost)
	}
	question := fmt.Sprintf("Delete %s from the namespace %s, with all objects that they installed?", strings.Join(args, ", "), f.namespace)
	if err := f.confirm.ask(ctx, a, question); err != nil {
		return err
	}
	ctx = a.begin(ctx)
	for _, name := range args {
		progress.From(ctx).Step("deleting PackageInstall %s/%s", f.namespace, name)
		if err := client.RemovePackage(ctx, install.Package{Name: name, Namespace: f.namespace}); err != nil {
			return err
		}
	}
	return nil
}

// losses are the objects that go with each package, and their number. That a
// name is wrong is told before anything happens.
func losses(ctx context.Context, client *install.Client, namespace string, args []string) (rows []uninstallRow, lost int, err error) {
	for _, name := range args {
		there, err := client.Installed(ctx, namespace, name)
		if err != nil {
			return nil, 0, err
		}
		if !there {
			return nil, 0, notInstalled(ctx, client, namespace, name)
		}
		objects, err := client.UserObjects(ctx, namespace, name)
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, uninstallRow{namespace, name, append([]install.UserObject{}, objects...)})
		lost += len(objects)
	}
	return rows, lost, nil
}

// notInstalled is the error for a PackageInstall that is not there.
func notInstalled(ctx context.Context, client *install.Client, namespace, name string) error {
	known, err := client.Names(ctx, namespace)
	if err != nil {
		return err
	}
	return names.Unknownf("no PackageInstall %q in the namespace %s; %s", name, namespace, names.Hint(name, known))
}

func printLosses(w io.Writer, rows []uninstallRow) error {
	var lines [][]string
	for _, row := range rows {
		lines = append(lines, []string{row.Name, "PackageInstall", row.Namespace, row.Name})
		for _, o := range row.Objects {
			lines = append(lines, []string{row.Name, o.Kind, o.Namespace, o.Name})
		}
	}
	return table(w, []string{"PACKAGE", "KIND", "NAMESPACE", "NAME"}, lines)
}
