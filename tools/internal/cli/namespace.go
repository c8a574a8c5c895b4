package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

// sharedNamespaces are those that kctrl, too, refuses to put a PackageInstall
// into: sharedNamespaces in cli/pkg/kctrl/cmd/core/secure_namespace_flags.go of
// kapp-controller, asked by `kctrl package install` and `update`.
func sharedNamespaces() []string { return []string{"default", "kube-public"} }

// installNamespace is the namespace of a PackageInstall that is to be made. The
// account of an install has rights to much of the cluster, and values may hold
// credentials: whoever may make pods or read Secrets beside them has both.
type installNamespace struct{ target *string }

// installNamespaceFlag adds --namespace to a command that makes a PackageInstall
// or what belongs to one. A command that removes has an ordinary flag: what is
// in a shared namespace already must be able to go.
func installNamespaceFlag(cmd *cobra.Command, target *string, preset, usage string) {
	*target = preset
	cmd.Flags().VarP(&installNamespace{target}, "namespace", "n", usage)
	mustComplete(cmd, "namespace", cobra.NoFileCompletions)
}

func (n *installNamespace) String() string { return *n.target }

// Type is what help shows for the value where the usage names none.
func (*installNamespace) Type() string { return "string" }

func (n *installNamespace) Set(s string) error {
	if slices.Contains(sharedNamespaces(), s) {
		return fmt.Errorf("it is shared by all, and whoever may make pods in the namespace of an install can use its account; kctrl refuses it, too: name one for packages alone, such as %s", *n.target)
	}
	*n.target = s
	return nil
}
