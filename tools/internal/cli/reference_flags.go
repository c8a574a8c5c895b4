package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// reference is a flag that names a registry, a repository or a part of one. It
// is checked when the command line is read, so that a wrong name is known
// before anything is built.
type reference struct {
	target *string
	check  func(string) error
}

// referenceFlag adds the flag --name to cmd; check says what its value must
// be, as [oci.CheckRepository] does. Its default is the target's value.
func referenceFlag(cmd *cobra.Command, target *string, name, usage string, check func(string) error) {
	cmd.Flags().Var(&reference{target: target, check: check}, name, usage)
	mustComplete(cmd, name, cobra.NoFileCompletions)
}

func (r *reference) String() string { return *r.target }

// Type is what help shows for the value where the usage names nothing.
func (r *reference) Type() string { return "string" }

func (r *reference) Set(s string) error {
	if err := r.check(s); err != nil {
		return err
	}
	*r.target = s
	return nil
}

// references is a flag that may be given several times, each time with a reference.
type references struct {
	targets *[]string
	check   func(string) error
}

// referencesFlag is [referenceFlag] for a flag that may be repeated.
func referencesFlag(cmd *cobra.Command, targets *[]string, name, usage string, check func(string) error) {
	cmd.Flags().Var(&references{targets: targets, check: check}, name, usage)
	mustComplete(cmd, name, cobra.NoFileCompletions)
}

func (r *references) String() string { return strings.Join(*r.targets, ",") }

// Type is what help shows for the value where the usage names nothing.
func (r *references) Type() string { return "strings" }

// Set adds a reference.
func (r *references) Set(s string) error {
	if err := r.check(s); err != nil {
		return err
	}
	*r.targets = append(*r.targets, s)
	return nil
}
