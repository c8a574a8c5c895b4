// Package docs writes what people and their editors read about a package: its
// values as a table, as a commented YAML document to edit and as a JSON
// Schema, and the Markdown pages that are committed beside the packages.
//
// It must not build or fetch anything: a version's values come from its bundle,
// all else from the catalog, and equal inputs give equal text. It exists since
// ytt writes OpenAPI alone and kctrl, which writes values with their
// descriptions, is no module that can be imported; neither says what the
// validations of a package ask for.
//
// Start reading at [Rows] and [YAML].
package docs

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/bundle"
)

// Row is one value as a table shows it.
type Row struct {
	// Path is the way to the value with dots; what is in a list has "[]" there.
	Path string
	// Type is in words: "integer", "list of strings".
	Type string
	// Default is YAML on one line; empty for objects, whose values have theirs,
	// and for what is within lists.
	Default string
	// Allowed says what holds of the value beside its type; it may be empty.
	Allowed     string
	Description string
}

// Rows are all values in the order of the schema.
func Rows(v *bundle.Values) ([]Row, error) {
	defaults, err := document(v.Defaults)
	if err != nil {
		return nil, err
	}
	return appendRows(nil, "", v.Schema, defaults), nil
}

func appendRows(rows []Row, prefix string, object *bundle.Value, defaults *yaml.Node) []Row {
	for _, p := range object.Properties {
		path, value := prefix+p.Key, lookup(defaults, p.Key)
		rows = append(rows, Row{path, kind(p.Value), inline(p.Value, value), allowed(p.Value), oneLine(about(p.Value))})
		rows = appendRows(rows, path+".", p.Value, value)
		if items := p.Value.Items; items != nil {
			rows = appendRows(rows, path+"[].", items, nil)
		}
	}
	return rows
}

// document is the content of a YAML document.
func document(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading the default values: %w", err)
	}
	return doc.Content[0], nil
}

// lookup is the value under a key of a mapping, or nil.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// inline is a default on one line. JSON is YAML, too.
func inline(v *bundle.Value, value *yaml.Node) string {
	if value == nil || value.Kind == yaml.MappingNode && len(v.Properties) > 0 {
		return ""
	}
	var content any
	if err := value.Decode(&content); err != nil {
		return ""
	}
	return compact(content)
}

func compact(content any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(content); err != nil {
		return fmt.Sprint(content)
	}
	return strings.TrimSpace(text.String())
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
