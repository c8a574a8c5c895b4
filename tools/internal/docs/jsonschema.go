package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

// dialect is the JSON Schema that [JSONSchema] writes.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// schema is the part of JSON Schema that values need, in the order in which it
// is printed.
type schema struct {
	Dialect     string      `json:"$schema,omitempty"`
	Title       string      `json:"title,omitempty"`
	Description string      `json:"description,omitempty"`
	Deprecated  bool        `json:"deprecated,omitempty"`
	Type        any         `json:"type,omitempty"`
	Enum        []any       `json:"enum,omitempty"`
	Default     *any        `json:"default,omitempty"`
	Examples    []any       `json:"examples,omitempty"`
	Minimum     any         `json:"minimum,omitempty"`
	Maximum     any         `json:"maximum,omitempty"`
	MinLength   *int64      `json:"minLength,omitempty"`
	MaxLength   *int64      `json:"maxLength,omitempty"`
	MinItems    *int64      `json:"minItems,omitempty"`
	MaxItems    *int64      `json:"maxItems,omitempty"`
	MinKeys     *int64      `json:"minProperties,omitempty"`
	MaxKeys     *int64      `json:"maxProperties,omitempty"`
	Items       *schema     `json:"items,omitempty"`
	Properties  *properties `json:"properties,omitempty"`
	// Additional is false for objects: a package refuses keys that it does not know.
	Additional *bool `json:"additionalProperties,omitempty"`
}

// properties keep their order.
type properties []property

type property struct {
	key   string
	value *schema
}

// MarshalJSON prints an object.
func (p properties) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, item := range p {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "%s:", compact(item.key))
		value, err := json.Marshal(item.value)
		if err != nil {
			return nil, err
		}
		text.Write(value)
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// JSONSchema writes a JSON Schema of draft 2020-12, by which editors complete
// and check a file of values. It accepts whatever the package accepts; what a
// package asks beyond it, its rules, is in the descriptions.
func JSONSchema(values *bundle.Values, v *catalog.Version) ([]byte, error) {
	root, err := convert(values.Schema)
	if err != nil {
		return nil, err
	}
	root.Dialect, root.Title = dialect, title(v)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("writing the JSON Schema: %w", err)
	}
	return text.Bytes(), nil
}

func title(v *catalog.Version) string { return "Values of " + v.ID() }

func convert(v *bundle.Value) (*schema, error) {
	s := &schema{
		Title: v.Title, Description: described(v), Deprecated: v.Deprecated,
		Type: typeOf(v), Enum: enum(v), Minimum: v.Minimum, Maximum: v.Maximum,
		MinLength: v.MinLength, MaxLength: v.MaxLength, MinItems: v.MinItems, MaxItems: v.MaxItems,
		MinKeys: v.MinProperties, MaxKeys: v.MaxProperties,
	}
	if err := s.addValues(v); err != nil {
		return nil, err
	}
	if v.Type == "object" {
		s.Additional, s.Properties = new(bool), &properties{}
	}
	for _, p := range v.Properties {
		below, err := convert(p.Value)
		if err != nil {
			return nil, err
		}
		*s.Properties = append(*s.Properties, property{p.Key, below})
	}
	if v.Items == nil {
		return s, nil
	}
	items, err := convert(v.Items)
	s.Items = items
	return s, err
}

// addValues fills in the default and the example.
func (s *schema) addValues(v *bundle.Value) error {
	if !v.Default.IsZero() {
		content, err := decode(&v.Default)
		if err != nil {
			return err
		}
		s.Default = &content
	}
	if !v.Example.IsZero() {
		content, err := decode(&v.Example)
		if err != nil {
			return err
		}
		s.Examples = []any{content}
	}
	return nil
}

func decode(node *yaml.Node) (any, error) {
	var content any
	if err := node.Decode(&content); err != nil {
		return nil, fmt.Errorf("reading a default or an example: %w", err)
	}
	return content, nil
}

// described adds to the description what JSON Schema cannot say.
func described(v *bundle.Value) string {
	text := oneLine(v.Description)
	if len(v.Rules) > 0 {
		text = strings.TrimSpace(text + " Must be: " + strings.Join(v.Rules, "; ") + ".")
	}
	return text
}

// typeOf is nil where any type goes. OpenAPI 3.0 says "nullable" where JSON
// Schema has a type for it.
func typeOf(v *bundle.Value) any {
	switch {
	case v.Type == "":
		return nil
	case v.Nullable:
		return []string{v.Type, "null"}
	}
	return v.Type
}

func enum(v *bundle.Value) []any {
	if v.Nullable && len(v.Enum) > 0 {
		return append(append([]any{}, v.Enum...), nil)
	}
	return v.Enum
}
