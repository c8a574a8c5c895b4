package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
)

// completionPatience is how long a cluster may take to complete a word. One that
// does not answer completes to nothing: a shell is no place for its error.
const completionPatience = 2 * time.Second

// target is a cluster, known once the flags are parsed.
type target func() targetFlags

// currentCluster is the one that kubectl would use.
func currentCluster() targetFlags { return targetFlags{} }

// completeContexts offers the contexts of the kubeconfig.
func completeContexts(cluster target) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		contexts, _ := devcluster.Contexts(cluster().kubeconfig)
		return contexts, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNamespaces offers the namespaces of the cluster.
func (t target) completeNamespaces() cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return t.ask(cmd, func(ctx context.Context, client *install.Client) ([]string, error) {
			return client.Namespaces(ctx)
		})
	}
}

// completeInstalled offers the PackageInstalls of the namespace.
func (t target) completeInstalled(namespace *string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found, directive := t.ask(cmd, func(ctx context.Context, client *install.Client) ([]string, error) {
			return client.Names(ctx, *namespace)
		})
		return without(found, args), directive
	}
}

func (t target) ask(cmd *cobra.Command, what func(context.Context, *install.Client) ([]string, error)) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	cluster := t()
	client, err := cluster.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found, _ := what(ctx, client)
	return found, cobra.ShellCompDirectiveNoFileComp
}
