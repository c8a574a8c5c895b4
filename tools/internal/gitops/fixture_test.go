package gitops

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// checkout is the project's own catalog.
func checkout(t *testing.T) *catalog.Catalog {
	t.Helper()
	root, err := catalog.FindRoot(".")
	require.NoError(t, err)
	c, err := catalog.Load(root)
	require.NoError(t, err)
	return c
}

func environmentOf(t *testing.T, c *catalog.Catalog, name string) *catalog.Environment {
	t.Helper()
	e, err := c.Environment(name)
	require.NoError(t, err)
	return e
}

// options are those of a folder in a usual place.
func options() Options {
	return Options{
		Repository: "registry.example.com/platform:0.1.0",
		Flux:       Flux{Namespace: "flux-system", Source: "flux-system", Path: "clusters/here/platform"},
	}
}

// made is a folder on disk, as a git repository would have it.
func made(t *testing.T, c *catalog.Catalog, e *catalog.Environment, o Options) (*Folder, string) {
	t.Helper()
	folder, err := Make(t.Context(), c, e, o)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "clusters", "here", "platform")
	_, err = Write(dir, folder, false)
	require.NoError(t, err)
	return folder, dir
}

// kustomized is what kustomize-controller builds of a folder.
func kustomized(t *testing.T, dir string) []manifest.Object {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	require.NoError(t, err)
	var objects []manifest.Object
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		require.NoError(t, err)
		o := &unstructured.Unstructured{}
		require.NoError(t, o.UnmarshalJSON(text))
		objects = append(objects, manifest.Object{Unstructured: o})
	}
	return objects
}

// only is the one object of a kind.
func only(t *testing.T, objects []manifest.Object, kind string) manifest.Object {
	t.Helper()
	var found []manifest.Object
	for _, o := range objects {
		if o.GetKind() == kind {
			found = append(found, o)
		}
	}
	require.Len(t, found, 1, kind)
	return found[0]
}

// into reads an object into its type, and refuses fields that this does not have.
func into[T any](t *testing.T, o manifest.Object) T {
	t.Helper()
	text, err := json.Marshal(o.Object)
	require.NoError(t, err)
	var typed T
	require.NoError(t, yaml.UnmarshalStrict(text, &typed), o.ID())
	return typed
}

// api is that of a cluster with kapp-controller and Flux, as the packages of the
// checkout have them.
func api(t *testing.T, c *catalog.Catalog) *environment.API {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "k8s.io/kubernetes").Output()
	require.NoError(t, err)
	var module struct{ Dir, Version string }
	require.NoError(t, json.Unmarshal(out, &module))
	api, err := environment.NewAPI(module.Version, os.DirFS(filepath.Join(module.Dir, "api", "openapi-spec", "v3")))
	require.NoError(t, err)
	for _, name := range []string{"kapp-controller", "flux"} {
		p, err := c.Package(name)
		require.NoError(t, err)
		objects, err := repository.Render(t.Context(), c, p.Versions[len(p.Versions)-1], nil, bundle.RenderOptions{})
		require.NoError(t, err)
		require.NoError(t, api.Define(objects))
	}
	return api
}

// source is a file of an environment's values.
func source(text string) catalog.Source {
	return catalog.Source{Name: "values.yml", Data: []byte(text)}
}
