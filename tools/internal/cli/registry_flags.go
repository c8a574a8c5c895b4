package cli

import (
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/oci"
)

// registryFlags say how registries are reached.
type registryFlags struct{ registry oci.Registry }

func (f *registryFlags) add(cmd *cobra.Command) {
	f.addReach(cmd)
	flags, r := cmd.Flags(), &f.registry
	flags.StringVar(&r.Username, "registry-username", "", "user `name`, in the place of the keychain's")
	flags.StringVar(&r.Password, "registry-password", "", "password of the user; IMGPKG_REGISTRY_PASSWORD or a keychain keeps it out of the process list")
	flags.StringVar(&r.Token, "registry-token", "", "bearer token, in the place of user and password")
	flags.BoolVar(&r.Anon, "registry-anon", false, "send no credentials, whatever the keychain has")
	cmd.MarkFlagsMutuallyExclusive("registry-anon", "registry-username")
	cmd.MarkFlagsMutuallyExclusive("registry-anon", "registry-token")
	cmd.MarkFlagsMutuallyExclusive("registry-username", "registry-token")
}

// addReach leaves out the credentials, which the keychain has.
func (f *registryFlags) addReach(cmd *cobra.Command) {
	flags, r := cmd.Flags(), &f.registry
	flags.StringSliceVar(&r.CAFiles, "registry-ca-cert-path", nil, "PEM `file` with CAs to trust beside the system's (repeatable)")
	flags.BoolVar(&r.Insecure, "registry-insecure", false, "allow plain HTTP where HTTPS does not answer; only this machine's loopback addresses need no permission")
	flags.BoolVar(&r.SkipVerify, "registry-skip-verify", false, "accept any certificate")
	flags.IntVar(&r.Retries, "registry-retries", oci.DefaultRetries, "how often a failed request is sent again")
	flags.DurationVar(&r.ResponseHeaderTimeout, "registry-response-header-timeout", oci.DefaultResponseHeaderTimeout,
		"how long to wait for the beginning of an answer")
	flags.DurationVar(&r.StallTimeout, "registry-stall-timeout", oci.DefaultStallTimeout,
		"begin a transfer again that moves no content for this long")
	mustComplete(cmd, "registry-ca-cert-path", completeFiles("pem", "crt", "cert"))
}

// options are the flags as oci takes them, for which 0 means the default.
func (f *registryFlags) options() oci.Registry {
	r := f.registry
	if r.Retries == 0 {
		r.Retries = -1
	}
	return r
}

func completeFiles(extensions ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}
