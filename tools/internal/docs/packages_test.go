package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/docs"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// subject is one version of the project's own packages with what is written about it.
type subject struct {
	catalog *catalog.Catalog
	version *catalog.Version
	bundle  *bundle.Bundle
	values  *bundle.Values
}

// checkout has all versions, built once for all tests: that takes longer than the tests.
var checkout = sync.OnceValues(func() ([]subject, error) {
	root, err := catalog.FindRoot(".")
	if err != nil {
		return nil, err
	}
	c, err := catalog.Load(root)
	if err != nil {
		return nil, err
	}
	var subjects []subject
	for _, p := range c.Packages {
		for _, v := range p.Versions {
			b, err := repository.BuildVersion(context.Background(), c, v.StandIn(), repository.Options{})
			if err != nil {
				return nil, err
			}
			values, err := b.Values(context.Background())
			if err != nil {
				return nil, err
			}
			subjects = append(subjects, subject{c, v, b, values})
		}
	}
	return subjects, nil
})

// eachVersion runs a test with every version of the checkout.
func eachVersion(t *testing.T, run func(*testing.T, subject)) {
	t.Helper()
	subjects, err := checkout()
	require.NoError(t, err)
	for _, s := range subjects {
		t.Run(s.version.Package.Name+"@"+s.version.Version, func(t *testing.T) { run(t, s) })
	}
}

func (s subject) render(t *testing.T, values []byte) string {
	t.Helper()
	objects, err := bundle.Render(t.Context(), s.bundle, []bundle.ValuesFile{{Name: "values.yml", Data: values}}, bundle.RenderOptions{})
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, manifest.Encode(&text, objects))
	return text.String()
}

func (s subject) schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := docs.JSONSchema(s.values, s.version)
	require.NoError(t, err)
	return compile(t, text)
}

func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("values.json", content))
	schema, err := compiler.Compile("values.json")
	require.NoError(t, err)
	return schema
}

// instance is YAML as a validator of JSON Schema reads it.
func instance(t *testing.T, text []byte) any {
	t.Helper()
	converted, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(converted))
	require.NoError(t, err)
	return content
}

// The document of a version says what its schema says; that it renders to the
// same objects is seen with one version of each package, which takes seconds.
func TestCommentedYAMLGivesTheDefaults(t *testing.T) {
	rendered := map[*catalog.Package]bool{}
	eachVersion(t, func(t *testing.T, s subject) {
		text, err := docs.YAML(s.values, s.version)
		require.NoError(t, err)
		require.Equal(t, instance(t, s.values.Defaults), instance(t, text))
		require.NoError(t, s.schema(t).Validate(instance(t, text)))
		for line := range strings.Lines(string(text)) {
			require.NotRegexp(t, `\s\n$`, line, "no space at the end of a line")
		}
		if !rendered[s.version.Package] {
			rendered[s.version.Package] = true
			require.Equal(t, s.render(t, nil), s.render(t, text))
		}
	})
}

// Every description that stands in the schema reaches the reader.
func TestCommentedYAMLLeavesNothingOut(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject) {
		text, err := docs.YAML(s.values, s.version)
		require.NoError(t, err)
		words := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "#", "")), " ")
		rows, err := docs.Rows(s.values)
		require.NoError(t, err)
		require.NotEmpty(t, rows)
		for _, row := range rows {
			require.Contains(t, words, strings.Join(strings.Fields(row.Description), " "), row.Path)
		}
	})
}

// The schema accepts what the package accepts: the values of all render cases
// without an error.txt, of which TestRenderCases of the repository stage sees
// that they render. Of the others it refuses what a schema can tell; the
// package's own checks know more.
func TestSchemaAcceptsWhatThePackageAccepts(t *testing.T) {
	accepted, refused := 0, 0
	eachVersion(t, func(t *testing.T, s subject) {
		schema := s.schema(t)
		dirs, err := filepath.Glob(filepath.Join(s.version.Package.Dir, "test", "*", ""))
		require.NoError(t, err)
		for _, dir := range dirs {
			values := read(t, filepath.Join(dir, "values.yml"))
			if len(bytes.TrimSpace(values)) == 0 {
				continue
			}
			err := schema.Validate(instance(t, values))
			if read(t, filepath.Join(dir, "error.txt")) == nil {
				accepted++
				require.NoError(t, err, dir)
			}
			switch filepath.Base(dir) {
			case "error-unknown-key", "error-wrong-type", "error-out-of-range", "error-not-a-choice":
				refused++
				require.Error(t, err, dir)
			}
		}
	})
	t.Logf("%d files of values accepted, %d refused", accepted, refused)
	require.Positive(t, accepted)
	require.Positive(t, refused)
}

// The example values on a package's page are valid for the version that the page is
// about, and change what it installs. Every published package has them.
func TestExampleValuesRender(t *testing.T) {
	rendered := 0
	eachVersion(t, func(t *testing.T, s subject) {
		p := s.version.Package
		if docs.Shown(s.catalog, p) != s.version {
			return
		}
		if p.ExampleValues == "" {
			require.False(t, s.catalog.Published(s.version), "packages/%s/examples/values.yml is missing", p.Name)
			return
		}
		rendered++
		values := []byte(p.ExampleValues)
		require.NoError(t, s.schema(t).Validate(instance(t, values)))
		require.NotEqual(t, s.render(t, nil), s.render(t, values), "the example values change nothing")
	})
	require.Positive(t, rendered)
}

// read is nil for a file that is not there.
func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return text
}

// An object refuses keys that it does not know, at any depth and in lists.
func TestSchemaRefusesUnknownKeys(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject) {
		schema := s.schema(t)
		tried := 0
		for _, path := range objects(s.values.Schema, nil) {
			err := schema.Validate(nested(path, map[string]any{"noSuchKey": json.Number("1")}))
			require.ErrorContains(t, err, "noSuchKey", strings.Join(path, "."))
			tried++
		}
		require.Positive(t, tried)
	})
}

// objects are the paths of all values whose keys are declared; "" is an item.
func objects(v *bundle.Value, path []string) [][]string {
	var found [][]string
	if v.Type == "object" {
		found = append(found, path)
	}
	for _, p := range v.Properties {
		found = append(found, objects(p.Value, append(path[:len(path):len(path)], p.Key))...)
	}
	if v.Items != nil {
		found = append(found, objects(v.Items, append(path[:len(path):len(path)], ""))...)
	}
	return found
}

func nested(path []string, leaf any) any {
	if len(path) == 0 {
		return leaf
	}
	below := nested(path[1:], leaf)
	if path[0] == "" {
		return []any{below}
	}
	return map[string]any{path[0]: below}
}

// What an editor offers as an example is valid where it is offered.
func TestExamplesAndDefaultsFitTheirSchema(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject) {
		text, err := docs.JSONSchema(s.values, s.version)
		require.NoError(t, err)
		var schema map[string]any
		require.NoError(t, json.Unmarshal(text, &schema))
		checkExamples(t, "", schema)
	})
}

func checkExamples(t *testing.T, path string, schema map[string]any) {
	t.Helper()
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	compiled := compile(t, text)
	examples, _ := schema["examples"].([]any)
	for _, example := range examples {
		require.NoError(t, compiled.Validate(example), path)
	}
	below, _ := schema["properties"].(map[string]any)
	for key, value := range below {
		checkExamples(t, path+"."+key, value.(map[string]any))
	}
	if items, ok := schema["items"].(map[string]any); ok {
		checkExamples(t, path+"[]", items)
	}
}
