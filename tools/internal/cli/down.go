package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func newDown(a *app) *cobra.Command {
	var cluster clusterFlags
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove the cluster that up made",
		Long: `Down removes the kind cluster, its registry and the registry's content. It is
harmless when nothing is there. Caches stay, so that the next "up" is quick;
--images removes node images and their cached parts too.`,
		Example: `  strake down
  strake down --name other --images`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			if err := devcluster.Down(cmd.Context(), cluster.options); err != nil {
				return err
			}
			progress.From(cmd.Context()).Step("nothing of the cluster %s is left", cluster.options.Name)
			return nil
		}),
	}
	cluster.add(cmd)
	cmd.Flags().BoolVar(&cluster.options.Images, "images", false, "remove node images and their cached parts too")
	return cmd
}
