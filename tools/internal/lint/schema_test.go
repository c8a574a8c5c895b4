package lint

import (
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const schemaSource = `#@data/values-schema
---
#@schema/desc "Where"
namespace: boat
pump:
  #@schema/desc "How fast"
  speed: ""
  list:
  - key: ""
`

const openAPI = `
type: object
properties:
  namespace: {type: string, default: boat, description: Where}
  pump:
    type: object
    properties:
      speed: {type: string, default: "", description: How fast}
      list:
        type: array
        default: []
        description: "  "
        example: [{key: x}]
        items:
          type: object
          properties:
            key: {type: string, default: "", description: A key, example: x}
            hidden: {type: boolean, default: false}
`

func schemaFrom(t *testing.T) map[string]any {
	t.Helper()
	var content map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(openAPI), &content))
	return content
}

func TestUndescribed(t *testing.T) {
	const message, remedy = "the value has no description", "add #@schema/desc above it"
	require.Equal(t, []Finding{
		{Object: "value pump", File: "config/schema.yml", Line: 5, Message: message, Remedy: remedy},
		{Object: "value pump.list", File: "config/schema.yml", Line: 8, Message: message, Remedy: remedy},
		{Object: "value pump.list[].hidden", File: "config/schema.yml", Line: 8, Message: message, Remedy: remedy},
	}, undescribed(schemaFrom(t), "config/schema.yml", []byte(schemaSource)))
}

func TestUnexampled(t *testing.T) {
	findings := unexampled(schemaFrom(t), "config/schema.yml", []byte(schemaSource))
	require.Len(t, findings, 1)
	require.Equal(t, "value pump.speed", findings[0].Object)
	require.Equal(t, 7, findings[0].Line)
}

func TestSchemaWithoutFault(t *testing.T) {
	require.Empty(t, undescribed(nil, "", nil))
	require.Empty(t, unexampled(map[string]any{"properties": "odd"}, "", nil))
	require.Zero(t, lineOf([]byte("\t{"), []string{"a"}))
	require.Zero(t, lineOf([]byte("b: 1"), []string{"a"}))
}

func FuzzLineOf(f *testing.F) {
	f.Add([]byte(schemaSource), "pump", "speed")
	f.Add([]byte("- - a\n"), "[]", "[]")
	f.Fuzz(func(_ *testing.T, source []byte, first, second string) { lineOf(source, []string{first, second}) })
}
