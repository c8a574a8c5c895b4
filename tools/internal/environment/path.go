package environment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gonvenience/ytbx"
	"go.yaml.in/yaml/v3"
)

// path is the way to a field: keys, and items of lists in brackets.
type path []string

// simple are keys that a dot parts from the rest of a path without doubt.
var simple = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// identifiers are what dyff matches the items of a list by, in its order.
func identifiers() []string { return []string{"name", "key", "id"} }

func elements(p *ytbx.Path) path {
	var at path
	if p == nil {
		return at
	}
	for _, e := range p.PathElements {
		switch {
		case e.Key != "":
			at = append(at, fmt.Sprintf("[%s=%s]", e.Key, e.Name))
		case e.Name == "":
			at = append(at, fmt.Sprintf("[%d]", e.Idx))
		default:
			at = at.key(e.Name)
		}
	}
	return at
}

func (p path) with(element string) path { return append(slices.Clip(slices.Clone(p)), element) }

func (p path) key(name string) path {
	if simple.MatchString(name) {
		return p.with(name)
	}
	return p.with(fmt.Sprintf("[%q]", name))
}

// item names an item that only one of two lists has.
func (p path) item(node *yaml.Node) path {
	if node.Kind == yaml.MappingNode {
		for _, identifier := range identifiers() {
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == identifier && node.Content[i+1].Kind == yaml.ScalarNode {
					return p.with(fmt.Sprintf("[%s=%s]", identifier, node.Content[i+1].Value))
				}
			}
		}
	}
	return p.with("[]")
}

func (p path) within(keys ...string) bool { return len(p) > 0 && slices.Contains(keys, p[0]) }

func (p path) String() string {
	var text strings.Builder
	for i, element := range p {
		if i > 0 && !strings.HasPrefix(element, "[") {
			text.WriteByte('.')
		}
		text.WriteString(element)
	}
	return text.String()
}
