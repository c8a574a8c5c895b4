package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func newDown(a *app) *cobra.Command {
	var cluster clusterFlags
	var confirm confirmFlag
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove the local cluster",
		Long: `Down removes the kind cluster, its registry and the content of the registry. If there
is no cluster, it does nothing. It keeps the caches, so the next "strake up" is quick.
--images also removes the node images and their cached parts.

On a terminal, down asks first. Scripts must pass --yes.`,
		Example: `  strake down
  strake down --name other --images --yes`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			if err := confirm.check(a); err != nil {
				return err
			}
			if err := confirm.ask(cmd.Context(), a, "Delete "+downDeletes(cluster.options)+"?"); err != nil {
				return err
			}
			ctx := a.begin(cmd.Context())
			if err := devcluster.Down(ctx, cluster.options); err != nil {
				return err
			}
			progress.From(ctx).Step("nothing of the cluster %s is left", cluster.options.Name)
			return nil
		}),
	}
	cluster.add(cmd)
	confirm.add(cmd)
	cmd.Flags().BoolVar(&cluster.options.Images, "images", false, "also remove node images and their cached parts")
	return cmd
}

// downDeletes are the things that go, in words.
func downDeletes(o devcluster.Options) string {
	what := "the kind cluster " + o.Name + " with everything on it, its registry and the registry's content"
	if o.Images {
		what += ", node images and their cached parts"
	}
	return what
}
