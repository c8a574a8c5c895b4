package catalog

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// scalar fills a string, number, boolean or time.
func (f *file) scalar(n *yaml.Node, out reflect.Value, path string) {
	tag, want := scalarKind(out.Type())
	if n.Kind != yaml.ScalarNode || n.ShortTag() != tag {
		f.mismatch(n, path, want)
		return
	}
	if err := n.Decode(out.Addr().Interface()); err != nil {
		f.mismatch(n, path, want)
	}
}

func scalarKind(t reflect.Type) (tag, want string) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "!!timestamp", "a date such as 2026-01-31"
	case t.Kind() == reflect.String:
		return "!!str", "a string"
	case t.Kind() == reflect.Bool:
		return "!!bool", "true or false"
	default:
		return "!!int", "a whole number"
	}
}

func (f *file) mismatch(n *yaml.Node, path, want string) {
	remedy := ""
	if want == "a string" && n.Kind == yaml.ScalarNode && n.Value != "" {
		remedy = "; put it in quotes"
	}
	f.badLine(n.Line, "%s must be %s, not %s%s", named(path), want, describe(n), remedy)
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.ShortTag() == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("%s (%s)", n.Value, strings.TrimPrefix(n.ShortTag(), "!!"))
}

func named(path string) string {
	if path == "" {
		return "the file"
	}
	return fmt.Sprintf("field %q", path)
}

func child(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
