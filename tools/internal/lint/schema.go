package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkDescriptions refuses a value without a description. The schema is what
// people read to configure a package (kctrl package available get
// --values-schema), and a bare key makes them read the overlays instead.
func checkDescriptions(s *subject) []Finding {
	return undescribed(s.schema, s.schemaFile, s.schemaSource())
}

// checkExamples refuses a value whose default shows nothing of what belongs
// there (empty, null, an empty list or map) and that has no example either.
func checkExamples(s *subject) []Finding { return unexampled(s.schema, s.schemaFile, s.schemaSource()) }

func undescribed(schema map[string]any, file string, source []byte) []Finding {
	var findings []Finding
	eachValue(schema, nil, func(path []string, value map[string]any) {
		if text, _ := value["description"].(string); strings.TrimSpace(text) == "" {
			findings = append(findings, atValue(path, file, source, "the value has no description", "add #@schema/desc above it"))
		}
	})
	return findings
}

func unexampled(schema map[string]any, file string, source []byte) []Finding {
	var findings []Finding
	eachValue(schema, nil, func(path []string, value map[string]any) {
		_, example := value["example"]
		if _, parent := value["properties"]; parent || example || tells(value["default"]) {
			return
		}
		findings = append(findings, atValue(path, file, source,
			"the value's default is empty and there is no example, so nobody sees its form", "add #@schema/examples above it"))
	})
	return findings
}

// tells whether a default shows what belongs there.
func tells(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case string:
		return value != ""
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	}
	return true
}

// eachValue visits the keys of an OpenAPI schema from the top down, those of
// a list's items included.
func eachValue(schema map[string]any, path []string, visit func(path []string, value map[string]any)) {
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		value, _ := properties[name].(map[string]any)
		below := append(slices.Clone(path), name)
		visit(below, value)
		eachValue(value, below, visit)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		eachValue(items, append(slices.Clone(path), itemKey), visit)
	}
}

// itemKey stands in a path for a list's items.
const itemKey = "[]"

func atValue(path []string, file string, source []byte, message, remedy string) Finding {
	name := strings.ReplaceAll(strings.Join(path, "."), "."+itemKey, itemKey)
	return Finding{Object: fmt.Sprintf("value %s", name), File: file, Line: lineOf(source, path), Message: message, Remedy: remedy}
}

// lineOf is where the schema declares a value: the key's line, or that of the
// nearest key around it where a ytt function makes the rest, or 0.
func lineOf(source []byte, path []string) int {
	for _, document := range documents(source) {
		if line := lineBelow(document, path); line > 0 {
			return line
		}
	}
	return 0
}

func lineBelow(n *yaml.Node, path []string) int {
	switch {
	case len(path) == 0 || len(n.Content) == 0:
		return 0
	case n.Kind == yaml.DocumentNode:
		return lineBelow(n.Content[0], path)
	case n.Kind == yaml.SequenceNode && path[0] == itemKey:
		return lineBelow(n.Content[0], path[1:])
	case n.Kind != yaml.MappingNode:
		return 0
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == path[0] {
			return max(n.Content[i].Line, lineBelow(n.Content[i+1], path[1:]))
		}
	}
	return 0
}
