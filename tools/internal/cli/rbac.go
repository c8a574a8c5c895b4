package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/platform"
	"github.com/strake-dev/strake/tools/internal/rbac"
	"github.com/strake-dev/strake/tools/internal/repository"
)

type rbacFlags struct {
	account bundle.Account
	values  string
	from    string
	// profiles asks for a list of the permission profiles instead.
	profiles bool
	// noNamespaces leaves out the package's namespaces: what remains is what an
	// administrator deletes after the package.
	noNamespaces bool
	output       outputFlags
}

func newRBAC(a *app) *cobra.Command {
	var flags rbacFlags
	cmd := &cobra.Command{
		Use:   "rbac PACKAGE[@VERSION]",
		Short: "Print the permissions that installing a package requires",
		Long: `Rbac prints a ServiceAccount with the roles and bindings that are required to install,
upgrade and delete a package. An administrator applies them before creating the
PackageInstall that names the account. The output begins with the namespaces of the
package, because roles are in them. Deleting the package deletes these namespaces,
unless they existed before. To delete the permissions, pass --no-namespaces: else
"kubectl delete" would delete the namespaces, too.

With --values-file, the permissions match exactly these values. Without it, they are
those that the rbac/ folder of the bundle grants for the default values, in a namespace
of your choice. They come from permission profiles (packages/NAME/permissions): the
profile base holds permissions that do not escalate, for many values. --profiles lists
the others, the condition on the values under which each is granted, and why.

An upgrade may delete objects of the earlier version. --from adds the permissions that
this requires. After the upgrade, apply the permissions again without --from.

RBAC forbids granting permissions that you do not have, so the account also holds the
permissions of the roles that it creates. With the verb bind, it can also bind an
existing role. With the verb escalate, it can also create a role whose rules the cluster
aggregates from others.`,
		Example: `  strake rbac keda -n packages | kubectl apply -f -
  strake rbac keda@2.21.0 -n packages --values-file values.yml
  strake rbac keda@2.21.0 -n packages --from 2.20.2
  strake rbac keda -n packages --no-namespaces | kubectl delete --ignore-not-found -f -
  strake rbac keda --profiles`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeVersion,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			if flags.profiles {
				return a.printProfiles(cmd.Context(), flags.output, args[0])
			}
			objects, err := a.rights(cmd.Context(), flags, args[0])
			if err != nil {
				return err
			}
			if flags.noNamespaces {
				objects = slices.DeleteFunc(objects, func(o manifest.Object) bool { return o.GetKind() == "Namespace" })
			}
			return printObjects(a.out(), flags.output, objects)
		}),
	}
	flags.add(a, cmd)
	return cmd
}

func (f *rbacFlags) add(a *app, cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.account
	installNamespaceFlag(cmd, &o.Namespace, platform.DefaultNamespace, "`namespace` of the PackageInstall and the account", currentCluster)
	objectNameFlag(cmd, &o.Name, "account", "", "`name` of the ServiceAccount (default: the package's with -installer)")
	objectNameFlag(cmd, &o.Install, "install", "", "`name` of the PackageInstall (default: the package's)")
	namespaceFlag(cmd, &o.PackageNamespace, "package-namespace", "", "`namespace` of the package's workloads (default: the package's own default)", currentCluster)
	namespacesFlag(cmd, &o.OtherNamespaces, "other-namespace", "another `namespace` in the values, repeatable", currentCluster)
	valuesFileFlag(cmd, &f.values, "the user's values")
	flags.StringVar(&f.from, "from", "", "earlier `version` that the account upgrades from")
	flags.BoolVar(&f.profiles, "profiles", false, "list the permission profiles of the package instead")
	flags.BoolVar(&f.noNamespaces, "no-namespaces", false, "do not print the namespaces of the package")
	f.output.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("values-file", "package-namespace")
	cmd.MarkFlagsMutuallyExclusive("values-file", "other-namespace")
	for _, name := range []string{"values-file", "from", "account", "install", "namespace", "package-namespace", "other-namespace", "no-namespaces"} {
		cmd.MarkFlagsMutuallyExclusive("profiles", name)
	}
	mustComplete(cmd, "from", a.completeOlder)
}

// rights are those of the version that is asked for and of the one before it.
func (a *app) rights(ctx context.Context, f rbacFlags, arg string) ([]manifest.Object, error) {
	values, err := a.values(f.values)
	if err != nil {
		return nil, err
	}
	c, v, err := a.version(arg)
	if err != nil {
		return nil, err
	}
	versions := []*catalog.Version{v}
	if f.from != "" {
		older, err := c.FindVersion(v.Package, f.from)
		if err != nil {
			return nil, err
		}
		versions = append(versions, older)
	}
	var all [][]manifest.Object
	for _, v := range versions {
		b, err := repository.BuildVersion(ctx, c, v, repository.Options{})
		if err != nil {
			return nil, err
		}
		objects, err := f.of(ctx, b, values)
		if err != nil {
			return nil, err
		}
		if err := f.owned(objects); err != nil {
			return nil, err
		}
		all = append(all, objects)
	}
	return rbac.Merge(all...)
}

// owned refuses an account for a package that would own, and delete with it, the
// namespace of the PackageInstall or one of the cluster.
func (f *rbacFlags) owned(objects []manifest.Object) error {
	for _, o := range objects {
		name := o.GetName()
		if o.GetKind() != "Namespace" || name != f.account.Namespace && name != "default" && !strings.HasPrefix(name, "kube-") {
			continue
		}
		return usagef("the package would own the namespace %s, and delete it with everything in it; choose another namespace, or pass --values-file with createNamespace: false", name)
	}
	return nil
}

func (f *rbacFlags) of(ctx context.Context, b *bundle.Bundle, values inputs.File) ([]manifest.Object, error) {
	if f.values == "" {
		return bundle.ShippedRights(ctx, b, nil, f.account)
	}
	given := inputs.Of(b.Package, values)
	objects, err := bundle.ExactRights(ctx, b, given.Given(), f.account)
	return objects, given.Explain(err)
}

// printObjects writes a stream of YAML documents, which is text to read, too, or
// one List in JSON.
func printObjects(w io.Writer, output outputFlags, objects []manifest.Object) error {
	if output.format != formatJSON {
		return manifest.Encode(w, objects)
	}
	items := make([]map[string]any, 0, len(objects))
	for _, o := range objects {
		items = append(items, o.Object)
	}
	return output.print(w, map[string]any{"apiVersion": "v1", "kind": "List", "items": items}, nil)
}
