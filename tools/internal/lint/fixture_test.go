package lint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

const (
	canonical = "registry.strake.internal/strake/platform"
	digestA   = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB   = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// boat is a version with one locked image, ghcr.io/example/hull.
func boat() *catalog.Version {
	p := &catalog.Package{Name: "boat", Images: []catalog.Image{
		{Name: "hull", Reference: "ghcr.io/example/hull"},
		{Name: "queue", Reference: "ko://example.com/cmd/queue"},
		{Name: "bare", Reference: "bare"},
	}}
	lock := &catalog.ImagesLock{Images: []catalog.LockedImage{{Name: "hull", Reference: "ghcr.io/example/hull", Digest: digestA}}}
	return &catalog.Version{Package: p, Version: "1.0.0", Images: lock}
}

// object is one YAML document as an object that stands in line 7 of a file.
func object(t *testing.T, text string) manifest.Object {
	t.Helper()
	var content map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &content))
	return manifest.Object{
		Unstructured: &unstructured.Unstructured{Object: content},
		Origin:       manifest.Origin{File: "upstream/boat.yml", Line: 7},
	}
}

// messages are what the findings say, in their order.
func messages(findings []Finding) []string {
	var list []string
	for _, f := range findings {
		list = append(list, f.Message)
	}
	return list
}

func toList(objects ...manifest.Object) []manifest.Object { return objects }

func splitLines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }

func objects(t *testing.T, texts ...string) []manifest.Object {
	t.Helper()
	var list []manifest.Object
	for _, text := range texts {
		list = append(list, object(t, text))
	}
	return list
}

// requireFinding wants one of the findings to say this, or none to be there.
func requireFinding(t *testing.T, want string, findings []Finding) {
	t.Helper()
	if want == "" {
		require.Empty(t, findings)
		return
	}
	require.Contains(t, strings.Join(messages(findings), "\n"), want)
}
