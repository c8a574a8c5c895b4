package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validation"
)

// sharedNamespaces are those that kctrl, too, refuses to put a PackageInstall
// into: sharedNamespaces in cli/pkg/kctrl/cmd/core/secure_namespace_flags.go of
// kapp-controller, asked by `kctrl package install` and `update`.
func sharedNamespaces() []string { return []string{"default", "kube-public"} }

// namespaceFlag adds a flag that takes a namespace of the cluster that the target
// reaches, for completion. The flag --namespace is -n in every command.
func namespaceFlag(cmd *cobra.Command, target *string, name, preset, usage string, cluster target) {
	*target = preset
	addNamespace(cmd, one(target, validation.ValidateNamespaceName), name, usage, cluster)
}

// namespacesFlag adds a flag that takes a namespace and may be repeated.
func namespacesFlag(cmd *cobra.Command, target *[]string, name, usage string, cluster target) {
	addNamespace(cmd, several(target, validation.ValidateNamespaceName), name, usage, cluster)
}

// installNamespaceFlag adds --namespace to a command that makes a PackageInstall
// or what belongs to one, and refuses shared namespaces: the account of an install
// has permissions in much of the cluster, and values may hold credentials; whoever
// may make pods or read Secrets beside them has both. A command that removes has
// an ordinary flag: what is in a shared namespace already must be able to go.
func installNamespaceFlag(cmd *cobra.Command, target *string, preset, usage string, cluster target) {
	*target = preset
	addNamespace(cmd, one(target, installNamespace(preset)), namespaceName, usage, cluster)
}

const namespaceName = "namespace"

func addNamespace(cmd *cobra.Command, value *kubeNames, name, usage string, cluster target) {
	short := ""
	if name == namespaceName {
		short = "n"
	}
	cmd.Flags().VarP(value, name, short, usage)
	mustComplete(cmd, name, cluster.completeNamespaces())
}

func installNamespace(preset string) validation.ValidateNameFunc {
	return func(name string, prefix bool) []string {
		if slices.Contains(sharedNamespaces(), name) {
			return []string{fmt.Sprintf("it is shared, and every user who can create pods in it can use the account of the install; kctrl refuses it as well: choose a namespace for packages only, such as %s", preset)}
		}
		return validation.ValidateNamespaceName(name, prefix)
	}
}
