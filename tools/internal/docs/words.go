package docs

import (
	"fmt"
	"strings"

	"github.com/strake-dev/strake/tools/internal/bundle"
)

// kind is a value's type in words.
func kind(v *bundle.Value) string {
	words := v.Type
	switch {
	case v.Type == "":
		return "any"
	case v.Items != nil:
		words = "list of " + several(kind(v.Items))
	}
	if v.Nullable {
		words += " or null"
	}
	return words
}

func several(kind string) string {
	if kind == "any" {
		return "any values"
	}
	one, rest, _ := strings.Cut(kind, " ")
	return strings.TrimSpace(one + "s " + rest)
}

// about is a value's description, with that of a list's items.
func about(v *bundle.Value) string {
	text := strings.TrimSpace(v.Description)
	if v.Items != nil && v.Items.Description != "" {
		text = strings.TrimSpace(text + " Each: " + v.Items.Description)
	}
	return text
}

// allowed says what a schema and its rules ask of a value beside its type.
func allowed(v *bundle.Value) string {
	var words []string
	if len(v.Enum) > 0 {
		words = append(words, "one of "+list(v.Enum))
	}
	words = append(words, span("", v.Minimum, v.Maximum)...)
	words = append(words, span("length ", number(v.MinLength), number(v.MaxLength))...)
	words = append(words, span("number of items ", number(v.MinItems), number(v.MaxItems))...)
	words = append(words, span("number of keys ", number(v.MinProperties), number(v.MaxProperties))...)
	words = append(words, v.Rules...)
	if v.Items != nil {
		if each := allowed(v.Items); each != "" {
			words = append(words, "each: "+each)
		}
	}
	if v.Deprecated {
		words = append(words, "deprecated")
	}
	return strings.Join(words, "; ")
}

func list(values []any) string {
	words := make([]string, 0, len(values))
	for _, value := range values {
		words = append(words, compact(value))
	}
	return strings.Join(words, ", ")
}

// span says between which bounds, of which nil is none, a measure must be.
func span(measure string, low, high any) []string {
	switch {
	case low != nil && high != nil:
		return []string{fmt.Sprintf("%s%v to %v", measure, low, high)}
	case low != nil:
		return []string{fmt.Sprintf("%sat least %v", measure, low)}
	case high != nil:
		return []string{fmt.Sprintf("%sat most %v", measure, high)}
	}
	return nil
}

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}
