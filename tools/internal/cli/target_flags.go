package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
)

// targetFlags name a cluster that is there already, as kubectl's flags do.
type targetFlags struct{ kubeconfig, context string }

func (f *targetFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "`file` with the cluster's address and credentials (default: kubectl's)")
	flags.StringVar(&f.context, "context", "", "`context` of the kubeconfig (default: the current one)")
	mustComplete(cmd, "context", completeContexts(f.target))
}

// target reads the flags once they are parsed.
func (f *targetFlags) target() targetFlags { return *f }

// client reaches the cluster.
func (f *targetFlags) client() (*install.Client, error) {
	config, err := devcluster.RESTConfig(f.kubeconfig, f.context)
	if err != nil {
		return nil, err
	}
	return install.New(config)
}
