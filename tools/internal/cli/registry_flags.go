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
	flags.StringVar(&r.Username, "registry-username", "", "user `name` instead of the one in the keychain")
	flags.StringVar(&r.Password, "registry-password", "", "password of the user; prefer IMGPKG_REGISTRY_PASSWORD or a keychain, which are not in the process list")
	flags.StringVar(&r.Token, "registry-token", "", "bearer token instead of user name and password")
	flags.BoolVar(&r.Anon, "registry-anon", false, "send no credentials")
	cmd.MarkFlagsMutuallyExclusive("registry-anon", "registry-username")
	cmd.MarkFlagsMutuallyExclusive("registry-anon", "registry-token")
	cmd.MarkFlagsMutuallyExclusive("registry-username", "registry-token")
}

// addReach leaves out the credentials, which the keychain has.
func (f *registryFlags) addReach(cmd *cobra.Command) {
	flags, r := cmd.Flags(), &f.registry
	flags.StringSliceVar(&r.CAFiles, "registry-ca-cert-path", nil, "PEM `file` with CAs to trust in addition to the system's, repeatable")
	flags.BoolVar(&r.Insecure, "registry-insecure", false, "allow plain HTTP if HTTPS fails; loopback addresses always allow it")
	flags.BoolVar(&r.SkipVerify, "registry-skip-verify", false, "accept any certificate")
	flags.IntVar(&r.Retries, "registry-retries", oci.DefaultRetries, "how often a failed request is retried")
	flags.DurationVar(&r.ResponseHeaderTimeout, "registry-response-header-timeout", oci.DefaultResponseHeaderTimeout,
		"how long to wait for the first byte of a response")
	flags.DurationVar(&r.StallTimeout, "registry-stall-timeout", oci.DefaultStallTimeout,
		"restart a transfer that receives no data for this time")
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
