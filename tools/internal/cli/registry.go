package cli

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func newRegistry(a *app) *cobra.Command {
	return group("registry", "Serve an OCI registry from a folder",
		"The embedded registry stores its content in a folder. \"strake up\" runs it beside the local cluster.",
		"  strake registry serve --addr 127.0.0.1:5000",
		newRegistryServe(a))
}

func newRegistryServe(a *app) *cobra.Command {
	var o oci.ServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve an OCI registry until it is interrupted",
		Long: `Serve runs an OCI registry over plain HTTP, without authentication, until it is
interrupted. It prints its address on stdout when it is ready.`,
		Example: `  strake registry serve --addr 127.0.0.1:5000 --dir /var/lib/registry
  strake registry serve --addr 127.0.0.1:0 --delete
  strake registry serve --dir /var/lib/registry --read-only`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, a, o)
		}),
	}
	o.Addr = "127.0.0.1:5000"
	referenceFlag(cmd, &o.Addr, "addr", "`HOST:PORT` to listen on; port 0 takes a free one", checkListen)
	cmd.Flags().StringVar(&o.Dir, "dir", "", "`folder` of the content (default: registry in the cache)")
	cmd.Flags().BoolVar(&o.Delete, "delete", false, "allow clients to delete content")
	cmd.Flags().BoolVar(&o.ReadOnly, "read-only", false, "refuse requests that change the content")
	cmd.MarkFlagsMutuallyExclusive("delete", "read-only")
	mustComplete(cmd, "dir", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
	return cmd
}

// checkListen wants a port; the host may be left out.
func checkListen(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("expected HOST:PORT, such as 127.0.0.1:5000 or :5000: %w", err)
	}
	return nil
}

func serve(cmd *cobra.Command, a *app, o oci.ServeOptions) error {
	if o.Dir == "" {
		dir, err := cache.Dir("registry")
		if err != nil {
			return err
		}
		o.Dir = dir
	}
	progress.From(cmd.Context()).Step("serving %s", o.Dir)
	out := a.out()
	o.Log = a.streams.Err
	o.Ready = func(addr string) { fmt.Fprintln(out, addr) }
	return oci.Serve(cmd.Context(), o)
}
