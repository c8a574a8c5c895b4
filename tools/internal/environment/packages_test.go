package environment_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// openAPI are the documents of the release of Kubernetes whose module this
// project is compiled with, so that it is there and checked by go.sum.
func openAPI(tb testing.TB) (string, fs.FS) {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "go", "mod", "download", "-json", "k8s.io/kubernetes").Output()
	require.NoError(tb, err)
	var module struct{ Dir, Version string }
	require.NoError(tb, json.Unmarshal(out, &module))
	return module.Version, os.DirFS(filepath.Join(module.Dir, "api", "openapi-spec", "v3"))
}

func newAPI(tb testing.TB) *environment.API {
	tb.Helper()
	version, files := openAPI(tb)
	api, err := environment.NewAPI(version, files)
	require.NoError(tb, err)
	return api
}

// platform is what all packages render to with default values.
func platform(tb testing.TB) environment.Rendered {
	tb.Helper()
	root, err := catalog.FindRoot(".")
	require.NoError(tb, err)
	c, err := catalog.Load(root)
	require.NoError(tb, err)
	rendered := environment.Rendered{}
	for _, p := range c.Packages {
		v := p.Versions[len(p.Versions)-1].StandIn()
		b, err := repository.BuildVersion(context.Background(), c, v, repository.Options{})
		require.NoError(tb, err)
		objects, err := bundle.Render(context.Background(), b, nil, bundle.RenderOptions{Repository: "registry.example/platform"})
		require.NoError(tb, err)
		rendered[p.Name], _ = bundle.Split(objects)
	}
	return rendered
}

// All that the packages install is valid, whichever part of it is looked at,
// and broken objects of the same are found.
func TestPackagesAreValid(t *testing.T) {
	rendered, api := platform(t), newAPI(t)
	findings, err := environment.Validate(t.Context(), rendered, api, environment.Options{Registry: "registry.example/platform", Server: newServer(t)})
	require.NoError(t, err)
	require.Empty(t, findings)

	findings, err = environment.Validate(t.Context(), rendered, api, environment.Options{Registry: "registry.example/other"})
	require.NoError(t, err)
	require.NotEmpty(t, findings)
	for _, f := range findings {
		require.Equal(t, environment.RuleForeignImage, f.Rule)
	}

	broken := environment.Rendered{}
	for name, objects := range rendered {
		for _, o := range objects {
			spoilt := manifest.Object{Unstructured: o.DeepCopy()}
			spoilt.Object["noSuchField"] = true
			broken[name] = append(broken[name], spoilt)
		}
	}
	findings, err = environment.Validate(t.Context(), broken, newAPI(t), environment.Options{})
	require.NoError(t, err)
	all := 0
	for _, objects := range broken {
		all += len(objects)
	}
	require.Len(t, findings, all, "one in each object")
}

// BenchmarkValidate takes everything anew, as one run of a command does.
func BenchmarkValidate(b *testing.B) {
	rendered := platform(b)
	version, files := openAPI(b)
	for b.Loop() {
		api, err := environment.NewAPI(version, files)
		require.NoError(b, err)
		_, err = environment.Validate(b.Context(), rendered, api, environment.Options{Registry: "registry.example"})
		require.NoError(b, err)
	}
}

// BenchmarkDiff compares two environments that differ in every object but CRDs.
func BenchmarkDiff(b *testing.B) {
	rendered := platform(b)
	other := environment.Rendered{}
	for name, objects := range rendered {
		for _, o := range objects {
			changed := manifest.Object{Unstructured: o.DeepCopy()}
			if o.GetKind() != "CustomResourceDefinition" {
				changed.SetLabels(map[string]string{"environment": "other"})
			}
			other[name] = append(other[name], changed)
		}
	}
	for b.Loop() {
		differences, err := environment.Diff(rendered, other)
		require.NoError(b, err)
		require.NotEmpty(b, differences)
	}
}
