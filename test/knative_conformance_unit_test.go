package test

import (
	"bytes"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// TestConformanceImages renders the template as Knative's suites do.
func TestConformanceImages(t *testing.T) {
	images := map[string]string{"serving-timeout": "r/a@sha256:1", "networking-timeout": "r/a@sha256:2", "serving-volumes": "r/a@sha256:3"}
	for program, want := range map[string]string{"timeout": "r/a@sha256:1", "volumes": "r/a@sha256:3", "invalidhelloworld": "r/missing/invalidhelloworld"} {
		parsed, err := template.New("").Parse(imageTemplate(images, "serving-", "r/missing/{{.Name}}"))
		require.NoError(t, err)
		var got bytes.Buffer
		require.NoError(t, parsed.Execute(&got, struct{ Name string }{program}))
		require.Equal(t, want, got.String())
	}
}

// TestConformanceFailures compares failures with those that are expected.
func TestConformanceFailures(t *testing.T) {
	expected := map[string]string{"TestA": "reason", "TestB/x": "reason"}
	require.Equal(t, []string{"TestB/y", "TestAB"}, unexpected([]string{"TestA/sub", "TestB/x", "TestB/y", "TestAB"}, expected))
	results, output := readEvents(t, []byte(`{"Action":"build-output","Output":"x"}
not JSON
{"Action":"output","Test":"TestA","Output":"why\n"}
{"Action":"fail","Test":"TestA"}
{"Action":"pass","Test":"TestB"}
`))
	require.Equal(t, map[string]string{"TestA": "fail", "TestB": "pass"}, results)
	require.Equal(t, map[string]string{"TestA": "why\n"}, output)
}

// TestGreeter parses the Service of requireReadyIsRoutable.
func TestGreeter(t *testing.T) {
	var service map[string]any
	require.NoError(t, yaml.UnmarshalStrict([]byte((&served{namespace: "shop"}).greeter("hello", "r/a@sha256:1", "you")), &service))
	require.Contains(t, service["spec"].(map[string]any)["template"].(map[string]any)["spec"], "containers")
}
