package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// openAPI is the part of ytt's OpenAPI document that matters here.
type openAPI struct {
	Components struct {
		Schemas struct {
			DataValues json.RawMessage `json:"dataValues"`
		} `json:"schemas"`
	} `json:"components"`
}

// ValuesSchema is the OpenAPI v3 schema of the values that the bundle's files
// declare, with its examples, which the Package does not have.
func (b *Bundle) ValuesSchema(ctx context.Context) (map[string]any, error) {
	text, err := valuesSchema(ctx, b.Files)
	if err != nil {
		return nil, fmt.Errorf("reading the values schema of %s %s: %w", b.Package, b.Version, err)
	}
	return decodeSchema(text)
}

func decodeSchema(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var schema map[string]any
	if err := decoder.Decode(&schema); err != nil {
		return nil, fmt.Errorf("reading ytt's schema: %w", err)
	}
	return schema, nil
}

// forPackage is the schema as the Package has it. kapp-controller reads all Packages
// of a namespace whenever an App changes its status, and kapp and the pods that it
// waits for pay for their size. So it has no examples, which kctrl does not show (they
// are in the package's README), and of the values of packages that this one installs
// only where their schema is: elsewhere has the reference by the package's short name.
func forPackage(text []byte, elsewhere map[string]string) ([]byte, error) {
	schema, err := decodeSchema(text)
	if err != nil {
		return nil, err
	}
	shorten(schema, elsewhere)
	return json.Marshal(schema)
}

func shorten(node map[string]any, elsewhere map[string]string) {
	delete(node, "example")
	delete(node, "x-example-description")
	properties, _ := node["properties"].(map[string]any)
	for name, property := range properties {
		property, ok := property.(map[string]any)
		if !ok {
			continue
		}
		if reference, ok := elsewhere[name]; ok {
			referTo(property, reference)
		}
		shorten(property, elsewhere)
	}
	if items, ok := node["items"].(map[string]any); ok {
		shorten(items, elsewhere)
	}
}

// referTo leaves of the values below a node their type and where they are described.
func referTo(node map[string]any, reference string) {
	properties, _ := node["properties"].(map[string]any)
	if _, ok := properties["values"].(map[string]any); ok {
		properties["values"] = map[string]any{"type": "object", "description": reference}
	}
}

// valuesSchema is the OpenAPI v3 schema, as JSON, of the values that the ytt
// files declare.
func valuesSchema(ctx context.Context, files map[string][]byte) ([]byte, error) {
	text, err := yttRequest{files: withoutUpstream(files), schema: true}.run(ctx)
	if err != nil {
		return nil, err
	}
	var doc openAPI
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading ytt's schema: %w", err)
	}
	return doc.values()
}

// withoutUpstream are the files that declare values for users. The upstream's
// objects declare none, so ytt need not read them.
func withoutUpstream(files map[string][]byte) map[string][]byte {
	own := map[string][]byte{}
	for name, data := range files {
		if !strings.HasPrefix(name, upstreamDir+"/") {
			own[name] = data
		}
	}
	return own
}

func (d openAPI) values() ([]byte, error) {
	schema := d.Components.Schemas.DataValues
	var kind struct {
		Type string `json:"type"`
	}
	// Where nothing is declared, ytt answers with a schema that allows anything.
	if err := json.Unmarshal(schema, &kind); err != nil || kind.Type != "object" {
		return nil, errors.New(schemaFile + `: declares no values; begin the document with "#@data/values-schema"`)
	}
	return schema, nil
}
