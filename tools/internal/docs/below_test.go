package docs_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/docs"
)

const declared = `
type: object
properties:
  operator:
    type: object
    description: The operator.
    properties:
      log: {type: object, properties: {level: {type: string, default: info}, format: {type: string, default: json}}}
      replicas: {type: integer, default: 1}
  feature.flags: {type: object, properties: {fast: {type: boolean, default: true}}}
  brokers:
    type: array
    default: []
    items: {type: object, properties: {name: {type: string, default: ""}, port: {type: integer, default: 80}}}
`

func sampleValues(t *testing.T) *bundle.Values {
	t.Helper()
	values := &bundle.Values{Schema: &bundle.Value{}, Defaults: []byte(
		"operator:\n  log:\n    level: info\n    format: json\n  replicas: 1\nfeature.flags:\n  fast: true\nbrokers: []\n")}
	require.NoError(t, yaml.Unmarshal([]byte(declared), values.Schema))
	return values
}

func TestBelow(t *testing.T) {
	for _, test := range []struct {
		path     string
		rows     []string
		defaults string
	}{
		{"operator.log", []string{"operator", "operator.log", "operator.log.level", "operator.log.format"}, "operator:\n  log:\n    level: info\n    format: json\n"},
		{"operator.replicas", []string{"operator", "operator.replicas"}, "operator:\n  replicas: 1\n"},
		{"feature.flags.fast", []string{"feature.flags", "feature.flags.fast"}, "feature.flags:\n  fast: true\n"},
		{"brokers", []string{"brokers", "brokers[].name", "brokers[].port"}, "brokers: []\n"},
		{"brokers[].port", []string{"brokers", "brokers[].port"}, "brokers: []\n"},
	} {
		t.Run(test.path, func(t *testing.T) {
			values, err := docs.Below(sampleValues(t), test.path)
			require.NoError(t, err)
			require.Equal(t, test.defaults, string(values.Defaults))
			rows, err := docs.Rows(values)
			require.NoError(t, err)
			var paths []string
			for _, row := range rows {
				paths = append(paths, row.Path)
			}
			require.Equal(t, test.rows, paths)

			v := &catalog.Version{Package: &catalog.Package{Name: "x"}, Version: "1.0.0"}
			schema, err := docs.JSONSchema(values, v)
			require.NoError(t, err)
			document, err := docs.YAML(values, v)
			require.NoError(t, err)
			require.NoError(t, compile(t, schema).Validate(instance(t, document)), "the schema of a part accepts its defaults")
		})
	}
	all, err := docs.Below(sampleValues(t), "")
	require.NoError(t, err)
	require.Equal(t, sampleValues(t).Defaults, all.Defaults)
}

func TestBelowNamesTheNearestPath(t *testing.T) {
	for path, nearest := range map[string]string{
		"operator.logs":   "operator.log",
		"log.level":       "operator.log.level",
		"brokers.port":    "brokers[].port",
		"operator.log.":   "operator.log",
		"opertor":         "operator",
		"operator.log[].": "operator.log",
	} {
		_, err := docs.Below(sampleValues(t), path)
		require.ErrorContains(t, err, "did you mean "+nearest+"?", path)
	}
	_, err := docs.Below(&bundle.Values{Schema: &bundle.Value{Type: "object"}, Defaults: []byte("{}")}, "a")
	require.ErrorContains(t, err, "omit the path to list all values")
}
