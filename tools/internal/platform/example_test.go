package platform_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/platform"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// TestExamplesAreValid checks the examples of all packages against Kubernetes' API and
// the CRDs of the package's newest version.
func TestExamplesAreValid(t *testing.T) {
	root, err := catalog.FindRoot(".")
	require.NoError(t, err)
	c, err := catalog.Load(root)
	require.NoError(t, err)
	require.NotNil(t, c.Repository.Quickstart, "strake up has something to show")
	for _, p := range c.Packages {
		for _, e := range p.Examples {
			t.Run(p.Name+" "+e.Name, func(t *testing.T) { exampleIsValid(t, c, e) })
		}
	}
}

func exampleIsValid(t *testing.T, c *catalog.Catalog, e *catalog.Example) {
	namespace := platform.ExampleNamespace(e)
	_, err := platform.Example(e, namespace)
	require.NoError(t, err)
	objects, err := platform.ExampleManifests(e, namespace)
	require.NoError(t, err)
	require.NotEmpty(t, objects)
	for _, o := range objects {
		require.Equal(t, namespace, o.GetNamespace())
	}
	api := newAPI(t)
	require.NoError(t, api.Define(installed(t, c, e.Package)))
	findings, err := environment.Validate(t.Context(), environment.Rendered{e.Package.Name: objects}, api, environment.Options{})
	require.NoError(t, err)
	require.Empty(t, findings)
}

func newAPI(t *testing.T) *environment.API {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "k8s.io/kubernetes").Output()
	require.NoError(t, err)
	var module struct{ Dir, Version string }
	require.NoError(t, json.Unmarshal(out, &module))
	api, err := environment.NewAPI(module.Version, os.DirFS(filepath.Join(module.Dir, "api", "openapi-spec", "v3")))
	require.NoError(t, err)
	return api
}

// installed are the objects of a package's newest version with its default values.
func installed(t *testing.T, c *catalog.Catalog, p *catalog.Package) []manifest.Object {
	t.Helper()
	b, err := repository.BuildVersion(t.Context(), c, p.Versions[len(p.Versions)-1].StandIn(), repository.Options{})
	require.NoError(t, err)
	objects, err := bundle.Render(t.Context(), b, nil, bundle.RenderOptions{})
	require.NoError(t, err)
	objects, _ = bundle.Split(objects)
	return objects
}

func TestExampleRefuses(t *testing.T) {
	p := &catalog.Package{Name: "boat"}
	e := &catalog.Example{Name: "leave", Dir: t.TempDir(), Package: p, Steps: []catalog.ExampleStep{{Apply: []string{"boat.yml"}}}}
	for name, test := range map[string]struct{ text, want string }{
		"no YAML":     {"kind: [", "packages/boat/examples/leave/boat.yml:"},
		"no object":   {"kind: Boat\n", "packages/boat/examples/leave/boat.yml:1: not a Kubernetes object: apiVersion is missing"},
		"a namespace": {"{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: sea}}\n", "boat.yml:1: Pod sea/x names a namespace; remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(filepath.Join(e.Dir, "boat.yml"), []byte(test.text), 0o644))
			_, err := platform.Example(e, "sea")
			require.ErrorContains(t, err, test.want)
		})
	}
}
