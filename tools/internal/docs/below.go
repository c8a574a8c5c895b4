package docs

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/names"
)

// Below returns the values at and below a path, as [Row] has it, in the objects
// that lead there; the empty path is that of all values. The error of a path that
// is not there names the nearest one that is.
func Below(values *bundle.Values, path string) (*bundle.Values, error) {
	if path == "" {
		return values, nil
	}
	branch := branchTo(values.Schema, path)
	if branch == nil {
		return nil, unknownPath(values, path)
	}
	root, err := document(values.Defaults)
	if err != nil {
		return nil, err
	}
	text, err := encode(keep(root, branch))
	if err != nil {
		return nil, err
	}
	return &bundle.Values{Schema: branch, Defaults: text}, nil
}

// branchTo is an object with the one property that leads to the path, or nil. Keys
// may hold dots themselves, so the path is read along the schema.
func branchTo(object *bundle.Value, path string) *bundle.Value {
	for _, p := range object.Properties {
		below := p.Value
		if path != p.Key {
			if below = belowKey(p, path); below == nil {
				continue
			}
		}
		branch := *object
		branch.Properties = bundle.Properties{{Key: p.Key, Value: below}}
		return &branch
	}
	return nil
}

// belowKey is a property's value with what leads to the path alone, or nil.
func belowKey(p bundle.Property, path string) *bundle.Value {
	if rest, found := strings.CutPrefix(path, p.Key+"."); found {
		return branchTo(p.Value, rest)
	}
	rest, found := strings.CutPrefix(path, p.Key+"[].")
	if !found || p.Value.Items == nil {
		return nil
	}
	items := branchTo(p.Value.Items, rest)
	if items == nil {
		return nil
	}
	list := *p.Value
	list.Items = items
	return &list
}

// keep is a mapping with only the keys that the schema of a branch has.
func keep(node *yaml.Node, object *bundle.Value) *yaml.Node {
	if node.Kind != yaml.MappingNode || len(object.Properties) == 0 {
		return node
	}
	kept := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if value := propertyOf(object, node.Content[i].Value); value != nil {
			kept.Content = append(kept.Content, node.Content[i], keep(node.Content[i+1], value))
		}
	}
	return kept
}

// unknownPath names the paths that were probably meant.
func unknownPath(values *bundle.Values, path string) error {
	rows, err := Rows(values)
	if err != nil {
		return err
	}
	var known []string
	for _, row := range rows {
		known = append(known, row.Path)
	}
	hint := "omit the path to list all values"
	if near := names.Near(path, known); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return names.Unknownf("no value %q; %s", path, hint)
}
