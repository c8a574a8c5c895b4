package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/platform"
)

// clusterFlags say which development cluster is meant.
type clusterFlags struct{ options devcluster.Options }

func (f *clusterFlags) add(cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	objectNameFlag(cmd, &o.Name, "name", devcluster.DefaultName, "`name` of the kind cluster")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "`file` with the cluster's address and credentials (default: kubectl's)")
	flags.StringVar(&o.Context, "context", "", "use the existing cluster of this `context` of the kubeconfig instead of kind")
	flags.StringVar(&o.Engine, "engine", "", "container `engine`: docker, podman or nerdctl (default: the first one that is running)")
	mustComplete(cmd, "context", completeContexts(f.target))
	mustComplete(cmd, "engine", cobra.FixedCompletions([]string{"docker", "podman", "nerdctl"}, cobra.ShellCompDirectiveNoFileComp))
}

// target is the cluster of the kubeconfig.
func (f *clusterFlags) target() targetFlags {
	return targetFlags{kubeconfig: f.options.Kubeconfig, context: f.options.Context}
}

type upFlags struct {
	cluster   clusterFlags
	packages  []string
	all       bool
	none      bool
	noExample bool
	values    map[string]string
	namespace string
	noInstall bool
	dryRun    bool
	mirrors   mirrorFlags
	reach     registryFlags
	output    outputFlags
}

func (f *upFlags) add(a *app, cmd *cobra.Command) {
	f.addPlan(a, cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "run the checks, print the steps, and change nothing")
}

// addPlan leaves out what is not about the plan.
func (f *upFlags) addPlan(a *app, cmd *cobra.Command) {
	f.cluster.add(cmd)
	flags, o := cmd.Flags(), &f.cluster.options
	referenceFlag(cmd, &o.Registry, "registry", "`HOST:PORT` of a registry that this machine and the --context cluster reach by the same name", oci.CheckHost)
	o.NodeImage = devcluster.NodeImageAuto
	flags.Var(&reference{target: &o.NodeImage, check: checkNodeImage}, "node-image", "auto, published, source, or an image `reference`")
	flags.BoolVar(&o.Recreate, "recreate", false, "replace an existing kind cluster")
	flags.BoolVar(&f.noInstall, "no-install", false, "do not install system packages; list what is missing instead")
	flags.StringSliceVar(&f.packages, "package", nil, "`PACKAGE[@VERSION]` to install, repeatable (default: the quickstart of repo/repository.yml, else as --all)")
	flags.BoolVar(&f.all, "all", false, "install the newest published version of every package")
	flags.BoolVar(&f.none, "no-packages", false, "add the repository and install nothing from it")
	flags.BoolVar(&f.noExample, "no-example", false, "do not run the example of the quickstart")
	flags.StringToStringVar(&f.values, "values", nil, "`PACKAGE=FILE` with values for a package, repeatable (default: those of config/dev)")
	flags.Lookup("values").DefValue = "" // instead of an empty pair of brackets
	installNamespaceFlag(cmd, &f.namespace, platform.DefaultNamespace, "`namespace` of the PackageInstalls", f.cluster.target)
	f.mirrors.add(cmd)
	f.reach.addReach(cmd)
	f.output.add(cmd)
	cmd.MarkFlagsRequiredTogether("context", "registry")
	cmd.MarkFlagsMutuallyExclusive("package", "no-packages", "all")
	mustComplete(cmd, "package", a.completeVersions)
	mustComplete(cmd, "node-image", cobra.FixedCompletions(
		[]string{devcluster.NodeImageAuto, devcluster.NodeImagePublished, devcluster.NodeImageSource}, cobra.ShellCompDirectiveNoFileComp))
}

// checkNodeImage takes an image's short name too, which the engine completes.
func checkNodeImage(image string) error {
	switch image {
	case devcluster.NodeImageAuto, devcluster.NodeImagePublished, devcluster.NodeImageSource:
		return nil
	}
	return oci.CheckShortReference(image)
}
