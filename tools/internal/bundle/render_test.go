package bundle_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

func render(t *testing.T, files map[string]string, values string, o bundle.RenderOptions) ([]manifest.Object, error) {
	t.Helper()
	return bundle.Render(context.Background(), build(t, newVersion(t, files)), text(values), o)
}

func find(t *testing.T, list []manifest.Object, key string) manifest.Object {
	t.Helper()
	for _, o := range list {
		if bundle.Key(o.Unstructured) == key {
			return o
		}
	}
	require.Fail(t, "no such object", key)
	return manifest.Object{}
}

func TestRender(t *testing.T) {
	list, err := render(t, nil, "replicas: 3", bundle.RenderOptions{Repository: "10.0.0.1:5000/mirror"})
	require.NoError(t, err)
	stored, configs := bundle.Split(list)
	require.Len(t, stored, 3)
	require.Len(t, configs, 1, "kapp's Config is left, kbld's is used up")

	server := find(t, stored, "apps/Deployment/server")
	require.Equal(t, "upstream/demo.yaml", server.Origin.File)
	replicas, _, err := unstructured.NestedFieldNoCopy(server.Object, "spec", "replicas")
	require.NoError(t, err)
	require.EqualValues(t, 3, replicas)
	containers, _, err := unstructured.NestedSlice(server.Object, "spec", "template", "spec", "containers")
	require.NoError(t, err)
	for _, container := range containers {
		require.Equal(t, "10.0.0.1:5000/mirror@"+serverDigest, container.(map[string]any)["image"])
	}
	require.Contains(t, server.GetAnnotations(), "kbld.k14s.io/images")

	settings := find(t, stored, "/ConfigMap/settings")
	data, _, err := unstructured.NestedStringMap(settings.Object, "data")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"agent": "10.0.0.1:5000/mirror@" + agentDigest, "yes": "no"}, data)
}

func TestRenderCanonical(t *testing.T) {
	list, err := render(t, nil, "", bundle.RenderOptions{})
	require.NoError(t, err)
	data, _, err := unstructured.NestedStringMap(find(t, list, "/ConfigMap/settings").Object, "data")
	require.NoError(t, err)
	require.Equal(t, canonical+"@"+agentDigest, data["agent"])
}

// TestRenderOverlays: overlays of a user come after all files of the bundle,
// whatever their names, and see its values.
func TestRenderOverlays(t *testing.T) {
	overlay := strings.ReplaceAll(overlayText, "data.values.replicas", "data.values.replicas + 1")
	list, err := render(t, nil, "replicas: 3", bundle.RenderOptions{Overlays: map[string][]byte{"1-first.yml": []byte(overlay)}})
	require.NoError(t, err)
	replicas, _, err := unstructured.NestedFieldNoCopy(find(t, list, "apps/Deployment/server").Object, "spec", "replicas")
	require.NoError(t, err)
	require.EqualValues(t, 4, replicas)
	_, err = render(t, nil, "", bundle.RenderOptions{Overlays: map[string][]byte{
		"none.yml": []byte(strings.ReplaceAll(overlayText, "Deployment", "Fleet")),
	}})
	require.ErrorContains(t, err, "none.yml:4: Expected number of matched nodes to be 1, but was 0")
}

func TestRenderErrors(t *testing.T) {
	for name, test := range map[string]struct {
		files  map[string]string
		values string
		want   []string
	}{
		"unknown key":  {values: "replica: 3", want: []string{"demo 1.0.0", `did you mean "replicas"`, "not declared in schema"}},
		"wrong type":   {values: "replicas: many", want: []string{"replicas", "integer"}},
		"out of range": {values: "replicas: 9", want: []string{"replicas", "<= 5"}},
		"not one of":   {values: "logLevel: loud", want: []string{"logLevel"}},
		"not YAML":     {values: "a: [", want: []string{"values.yml"}},
		"unlocked image": {
			files: map[string]string{"more.yml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: 'other.example/a:1'}]}\n"},
			want:  []string{`"other.example/a:1" is not locked`, "pod/p"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, test.files, test.values, bundle.RenderOptions{})
			require.Error(t, err)
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestRenderStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	b := build(t, newVersion(t, nil))
	cancel()
	_, err := bundle.Render(ctx, b, nil, bundle.RenderOptions{})
	require.ErrorIs(t, err, context.Canceled)
}
