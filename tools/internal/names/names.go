// Package names finds what was meant by a name that does not exist: a package,
// a version, an environment, a context of a kubeconfig.
//
// It compares words and must not know what they name. Start reading at
// [Hint] and [Unknownf].
package names

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/texttheater/golang-levenshtein/levenshtein"
)

// UnknownError is a name on the command line that nothing has. Names in files
// are no such error: the file must change then, not the command.
type UnknownError struct{ message string }

func (e *UnknownError) Error() string { return e.message }

// Unknownf is an [UnknownError] with a message that ends with the remedy, as in
// `no package "kada"; did you mean keda?`.
func Unknownf(format string, args ...any) error {
	return &UnknownError{fmt.Sprintf(format, args...)}
}

// Hint is the remedy for an unknown name: "did you mean keda?", or all known
// names where none is near.
func Hint(name string, known []string) string {
	switch near := Near(name, known); {
	case len(near) > 0:
		return "did you mean " + strings.Join(near, " or ") + "?"
	case len(known) == 0:
		return "there are none"
	}
	return "known: " + strings.Join(known, ", ")
}

// maxNear is how many names may be the nearest, before none of them helps.
const maxNear = 3

// Near are the names that most resemble a name, at most three: those at the
// least edit distance, else those of which it is a part. They are sorted.
func Near(name string, known []string) []string {
	best := limit(name) + 1
	var near []string
	for _, candidate := range known {
		switch d := distance(name, candidate); {
		case d < best:
			best, near = d, []string{candidate}
		case d == best && near != nil:
			near = append(near, candidate)
		}
	}
	if near == nil {
		near = containing(name, known)
	}
	if len(near) > maxNear {
		return nil
	}
	return slices.SortedFunc(slices.Values(near), cmp.Compare[string])
}

// limit is the number of letters to change that still counts as a slip: two
// letters that changed places, or a third of a longer name.
func limit(name string) int {
	length := len([]rune(name))
	return min(max(2, length/3), length-1)
}

func distance(a, b string) int {
	return levenshtein.DistanceForStrings([]rune(strings.ToLower(a)), []rune(strings.ToLower(b)), levenshtein.DefaultOptionsWithSub)
}

// minPart is the length from which a part of a name stands for it.
const minPart = 3

func containing(name string, known []string) []string {
	if len(name) < minPart {
		return nil
	}
	var found []string
	for _, candidate := range known {
		if strings.Contains(strings.ToLower(candidate), strings.ToLower(name)) {
			found = append(found, candidate)
		}
	}
	return found
}
