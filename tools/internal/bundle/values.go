package bundle

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/ytt"
)

// Values are what a user can set of a package.
type Values struct {
	// Schema describes them, beginning with the object that holds all.
	Schema *Value
	// Defaults is a YAML document of all of them, in the order of the schema.
	Defaults []byte
}

// Value is one value as the schema declares it. The YAML names are those of
// ytt's OpenAPI document.
type Value struct {
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	// Type is object, array, string, integer, number or boolean; it is empty
	// where any value goes.
	Type     string `yaml:"type"`
	Nullable bool   `yaml:"nullable"`
	// Deprecated values still work.
	Deprecated bool `yaml:"deprecated"`
	// Default is zero for an object: its properties have theirs.
	Default yaml.Node `yaml:"default"`
	// Example is zero where there is none.
	Example            yaml.Node `yaml:"example"`
	ExampleDescription string    `yaml:"x-example-description"`
	Enum               []any     `yaml:"enum"`
	Minimum            any       `yaml:"minimum"`
	Maximum            any       `yaml:"maximum"`
	MinLength          *int64    `yaml:"minLength"`
	MaxLength          *int64    `yaml:"maxLength"`
	MinItems           *int64    `yaml:"minItems"`
	MaxItems           *int64    `yaml:"maxItems"`
	MinProperties      *int64    `yaml:"minProperties"`
	MaxProperties      *int64    `yaml:"maxProperties"`
	// Properties are those of an object, in the order of the schema; Items is
	// what an array holds.
	Properties Properties `yaml:"properties"`
	Items      *Value     `yaml:"items"`
	// Rules say in words what else must hold of the value, as ytt does when it
	// refuses one. OpenAPI has no place for them.
	Rules []string `yaml:"-"`
}

// Properties are the values of an object in their order.
type Properties []Property

// Property is a value under its key.
type Property struct {
	Key   string
	Value *Value
}

// UnmarshalYAML keeps the order, which a map would lose.
func (p *Properties) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		value := &Value{}
		if err := node.Content[i+1].Decode(value); err != nil {
			return err
		}
		*p = append(*p, Property{node.Content[i].Value, value})
	}
	return nil
}

// Values reads what the bundle's schema declares. The values with which
// kapp-controller checks a version's needs are none for users and left out.
func (b *Bundle) Values(ctx context.Context) (*Values, error) {
	declared, err := ytt.Declared(ctx, yttFiles(withoutUpstream(b.Files), configDir+"/"))
	if err != nil {
		return nil, fmt.Errorf("reading the values schema of %s %s: ytt: %w", b.Package, b.Version, err)
	}
	root, err := described(declared.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("reading the values schema of %s %s: %w", b.Package, b.Version, err)
	}
	addRules(root, declared.Rules)
	return &Values{Schema: root, Defaults: declared.Defaults}, nil
}

// described reads ytt's OpenAPI document of a schema.
func described(text []byte) (*Value, error) {
	var doc struct {
		Components struct {
			Schemas struct {
				DataValues *Value `yaml:"dataValues"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading ytt's schema: %w", err)
	}
	return doc.Components.Schemas.DataValues, nil
}

// addRules gives v and each value below it the words of its validations.
func addRules(v *Value, r ytt.Rules) {
	v.Rules = append(v.Rules, r.Words...)
	for i, below := range r.Below {
		switch {
		case i < len(v.Properties):
			addRules(v.Properties[i].Value, below)
		case v.Items != nil:
			addRules(v.Items, below)
		}
	}
}
