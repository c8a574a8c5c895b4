package bundle

import (
	"context"
	"fmt"
	"io"

	"carvel.dev/ytt/pkg/cmd/ui"
	"carvel.dev/ytt/pkg/schema"
	"carvel.dev/ytt/pkg/template"
	"carvel.dev/ytt/pkg/validations"
	"carvel.dev/ytt/pkg/workspace"
	"carvel.dev/ytt/pkg/workspace/datavalues"
	"carvel.dev/ytt/pkg/yamlmeta"
	"github.com/k14s/starlark-go/starlark"
	"go.yaml.in/yaml/v3"
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
	declared, err := declare(ctx, b.Files)
	if err != nil {
		return nil, fmt.Errorf("reading the values schema of %s %s: ytt: %w", b.Package, b.Version, err)
	}
	root, err := described(declared.GetDocumentType())
	if err != nil {
		return nil, fmt.Errorf("reading the values schema of %s %s: %w", b.Package, b.Version, err)
	}
	addRules(root, declared.Source)
	defaults, err := declared.DefaultDataValues().AsYAMLBytes()
	if err != nil {
		return nil, fmt.Errorf("printing the default values of %s %s: %w", b.Package, b.Version, err)
	}
	return &Values{Schema: root, Defaults: defaults}, nil
}

// described reads ytt's OpenAPI document of a schema.
func described(declared *schema.DocumentType) (*Value, error) {
	text, err := schema.NewOpenAPIDocument(declared).AsDocument().AsYAMLBytes()
	if err != nil {
		return nil, fmt.Errorf("printing ytt's schema: %w", err)
	}
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

// declare lets ytt evaluate the schema of a bundle. Of its commands only the
// library below gives the words of the validations.
func declare(ctx context.Context, files map[string][]byte) (*datavalues.Schema, error) {
	input, err := yttFiles(withoutUpstream(files), configDir+"/")
	if err != nil {
		return nil, err
	}
	library := workspace.NewRootLibrary(input)
	quiet := ui.NewCustomWriterTTY(false, io.Discard, io.Discard)
	factory := workspace.NewLibraryExecutionFactory(quiet, workspace.TemplateLoaderOpts{}, true)
	yttRuns.Lock()
	defer yttRuns.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	declared, _, err := factory.New(workspace.LibraryExecutionContext{Current: library, Root: library}).Schemas(nil)
	return declared, err
}

// addRules gives each value below v the words of the validations that stand
// over it in ytt's own tree of the schema.
func addRules(v *Value, holder yamlmeta.Node) {
	v.Rules = append(v.Rules, rules(holder)...)
	for _, content := range holder.GetValues() {
		switch content := content.(type) {
		case *yamlmeta.Map:
			for i := range v.Properties {
				addRules(v.Properties[i].Value, content.Items[i])
			}
		case *yamlmeta.Array:
			if v.Items != nil {
				addRules(v.Items, content.Items[0])
			}
		}
	}
}

// rules are the words of a node's named validations, and of those that OpenAPI
// does not know. Validations that hold only under a condition of the package
// (when=) say so.
func rules(node yamlmeta.Node) []string {
	annotations := template.NewAnnotations(node)
	var words []string
	for _, arg := range annotations.Args(schema.AnnotationValidation) {
		if tuple, ok := arg.(starlark.Tuple); ok && len(tuple) > 0 {
			if text, ok := starlark.AsString(tuple[0]); ok {
				words = append(words, text)
			}
		}
	}
	conditional := false
	for _, kwarg := range annotations.Kwargs(schema.AnnotationValidation) {
		switch name, _ := starlark.AsString(kwarg[0]); name {
		case validations.KwargWhen:
			conditional = true
		case validations.KwargNotNull:
			words = append(words, "not null")
		case validations.KwargOneNotNull:
			words = append(words, "one value that is not null")
		}
	}
	if conditional {
		for i := range words {
			words[i] += " (under a condition)"
		}
	}
	return words
}
