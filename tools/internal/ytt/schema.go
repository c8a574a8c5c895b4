package ytt

import (
	"context"
	"fmt"

	"carvel.dev/ytt/pkg/schema"
	"carvel.dev/ytt/pkg/template"
	"carvel.dev/ytt/pkg/validations"
	"carvel.dev/ytt/pkg/workspace"
	"carvel.dev/ytt/pkg/workspace/datavalues"
	"carvel.dev/ytt/pkg/yamlmeta"
	"github.com/k14s/starlark-go/starlark"
)

// Schema is what files declare of their values.
type Schema struct {
	// OpenAPI is ytt's OpenAPI document, as YAML.
	OpenAPI []byte
	// Defaults is a YAML document of all values, in the order of the schema.
	Defaults []byte
	// Rules are those of the document.
	Rules Rules
}

// Rules say in words what must hold of a value, as ytt does when it refuses one.
type Rules struct {
	Words []string
	// Below are those of the keys of a map in their order, or the one of a list's items.
	Below []Rules
}

// Declared lets ytt evaluate the schema of files. Of its commands only the library
// below gives the words of the validations.
func Declared(ctx context.Context, list []File) (*Schema, error) {
	return inTurn(ctx, func() (*Schema, error) { return declared(list) })
}

func declared(list []File) (*Schema, error) {
	library := workspace.NewRootLibrary(input(list))
	factory := workspace.NewLibraryExecutionFactory(silent(), workspace.TemplateLoaderOpts{}, true)
	found, _, err := factory.New(workspace.LibraryExecutionContext{Current: library, Root: library}).Schemas(nil)
	if err != nil {
		return nil, err
	}
	return printed(found)
}

func printed(found *datavalues.Schema) (*Schema, error) {
	text, err := schema.NewOpenAPIDocument(found.GetDocumentType()).AsDocument().AsYAMLBytes()
	if err != nil {
		return nil, fmt.Errorf("printing the schema: %w", err)
	}
	defaults, err := found.DefaultDataValues().AsYAMLBytes()
	if err != nil {
		return nil, fmt.Errorf("printing the default values: %w", err)
	}
	return &Schema{text, defaults, rules(found.Source)}, nil
}

// rules are those of a node and of what its map or list holds.
func rules(holder yamlmeta.Node) Rules {
	r := Rules{Words: words(holder)}
	for _, content := range holder.GetValues() {
		switch content := content.(type) {
		case *yamlmeta.Map:
			for _, item := range content.Items {
				r.Below = append(r.Below, rules(item))
			}
		case *yamlmeta.Array:
			for _, item := range content.Items {
				r.Below = append(r.Below, rules(item))
			}
		}
	}
	return r
}

// words are those of a node's named validations, and of those that OpenAPI does not
// know. Validations that hold only under a condition of the package (when=) say so.
func words(node yamlmeta.Node) []string {
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
