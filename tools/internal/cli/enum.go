package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// enum is a flag that takes one of a few words: it refuses others and
// completes its own. The first word is the default.
type enum[T ~string] struct {
	target  *T
	allowed []T
}

// enumFlag adds the flag --name (and -short, unless that is empty) to cmd.
func enumFlag[T ~string](cmd *cobra.Command, target *T, name, short, usage string, allowed ...T) {
	enumVar(cmd, cmd.Flags().VarP, target, name, short, usage, allowed)
}

// persistentEnumFlag adds the flag to cmd and to all commands below it.
func persistentEnumFlag[T ~string](cmd *cobra.Command, target *T, name, usage string, allowed ...T) {
	enumVar(cmd, cmd.PersistentFlags().VarP, target, name, "", usage, allowed)
}

func enumVar[T ~string](cmd *cobra.Command, add varP, target *T, name, short, usage string, allowed []T) {
	e := &enum[T]{target: target, allowed: allowed}
	*target = allowed[0]
	add(e, name, short, usage)
	mustComplete(cmd, name, cobra.FixedCompletions(e.strings(), cobra.ShellCompDirectiveNoFileComp))
}

func (e *enum[T]) String() string { return string(*e.target) }

// Type is what help shows for the value.
func (e *enum[T]) Type() string { return e.words("|") }

func (e *enum[T]) Set(s string) error {
	if !slices.Contains(e.allowed, T(s)) {
		return fmt.Errorf("must be one of %s", e.words(", "))
	}
	*e.target = T(s)
	return nil
}

func (e *enum[T]) strings() []string {
	words := make([]string, 0, len(e.allowed))
	for _, word := range e.allowed {
		words = append(words, string(word))
	}
	return words
}

func (e *enum[T]) words(separator string) string { return strings.Join(e.strings(), separator) }
