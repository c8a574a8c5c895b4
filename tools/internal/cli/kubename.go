package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validation"
)

// kubeNames is a flag that takes names of Kubernetes objects and refuses what the
// API server would refuse, before anything is done.
type kubeNames struct {
	check validation.ValidateNameFunc
	// get and set are the flag's value; set gets one name, or several where the
	// flag may be repeated.
	get func() string
	set func(given []string)
	// repeated flags take several names, also in one word with commas.
	repeated bool
}

func (n *kubeNames) String() string { return n.get() }

// Type is what help shows for the value where the usage names none.
func (n *kubeNames) Type() string {
	if n.repeated {
		return "names"
	}
	return "name"
}

func (n *kubeNames) Set(s string) error {
	given := []string{s}
	if n.repeated {
		given = strings.Split(s, ",")
	}
	for _, name := range given {
		if err := checkName(n.check, name); err != nil {
			return err
		}
	}
	n.set(given)
	return nil
}

// checkName returns what is wrong with a name, in the words of the API server.
func checkName(check validation.ValidateNameFunc, name string) error {
	if faults := check(name, false); len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}

// objectNameFlag adds --name, the name of one Kubernetes object.
func objectNameFlag(cmd *cobra.Command, target *string, name, preset, usage string) {
	*target = preset
	cmd.Flags().Var(one(target, validation.NameIsDNSSubdomain), name, usage)
	mustComplete(cmd, name, cobra.NoFileCompletions)
}

// objectNamesFlag adds --name, which may be repeated.
func objectNamesFlag(cmd *cobra.Command, target *[]string, name, usage string) {
	cmd.Flags().Var(several(target, validation.NameIsDNSSubdomain), name, usage)
	mustComplete(cmd, name, cobra.NoFileCompletions)
}

func one(target *string, check validation.ValidateNameFunc) *kubeNames {
	return &kubeNames{
		check: check,
		get:   func() string { return *target },
		set:   func(given []string) { *target = given[0] },
	}
}

func several(target *[]string, check validation.ValidateNameFunc) *kubeNames {
	return &kubeNames{
		check: check, repeated: true,
		get: func() string { return strings.Join(*target, ",") },
		set: func(given []string) { *target = append(*target, given...) },
	}
}

// objectNames wants arguments that can be names of objects.
func objectNames(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		if err := checkName(validation.NameIsDNSSubdomain, arg); err != nil {
			return usagef("invalid object name %q: %w", arg, err)
		}
	}
	return nil
}
