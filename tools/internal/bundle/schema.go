package bundle

import (
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
