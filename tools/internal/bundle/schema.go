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

// withoutExamples is the schema as the Package has it. kctrl shows no examples
// (they are in the package's README), and kapp-controller reads all Packages of
// a namespace whenever an App changes its status: they are a quarter of their size.
func withoutExamples(text []byte) ([]byte, error) {
	schema, err := decodeSchema(text)
	if err != nil {
		return nil, err
	}
	dropExamples(schema)
	return json.Marshal(schema)
}

func dropExamples(node map[string]any) {
	delete(node, "example")
	delete(node, "x-example-description")
	properties, _ := node["properties"].(map[string]any)
	for _, property := range properties {
		if property, ok := property.(map[string]any); ok {
			dropExamples(property)
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		dropExamples(items)
	}
}

// valuesSchema is the OpenAPI v3 schema, as JSON, of the values that the ytt
// files declare.
func valuesSchema(ctx context.Context, files map[string][]byte) ([]byte, error) {
	docs, err := yttRequest{files: withoutUpstream(files), schema: true}.run(ctx)
	if err != nil {
		return nil, err
	}
	text, err := docs.AsBytes()
	if err != nil {
		return nil, fmt.Errorf("printing ytt's schema: %w", err)
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
