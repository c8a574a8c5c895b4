package bundle_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
)

func build(t *testing.T, v *catalog.Version) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Build(context.Background(), v, repo(), objects(t, upstream))
	require.NoError(t, err)
	return b
}

func TestBuildFiles(t *testing.T) {
	b := build(t, newVersion(t, map[string]string{".schema.yml.swp": "an editor's", "sub/extra.star": "x = 1"}))
	require.Equal(t, []string{
		".imgpkg/images.yml", "config/kapp.yml", "config/kbld.yml", "config/package.star", "config/replicas.yml",
		"config/schema.yml", "config/sub/extra.star", "config/upstream/crds.yml", "config/upstream/objects.yml",
		"rbac/installer.lib.yml", "rbac/rbac.yml", "rbac/schema.yml", "rbac/values.lib.yml",
	}, slices.Sorted(maps.Keys(b.Files)))
	require.Equal(t, "name = \"demo\"\nversion = \"1.0.0\"\nupstream = \"1.0\"\n", string(b.Files["config/package.star"]))
	require.Equal(t, []string{"demo-1.0.0"}, b.Image.Tags)
	require.Equal(t, b.Digest, b.Image.Digest)
	require.Equal(t, "upstream/demo.yaml", b.Origins["apps/Deployment/server"].File)
}

func TestBuildTellsWhatIsLeftOut(t *testing.T) {
	v := newVersion(t, nil)
	v.Package.Images = []catalog.Image{{Name: "sail", Optional: true}}
	const none = "name = \"demo\"\nversion = \"1.0.0\"\nupstream = \"1.0\"\nleft_out = {\n}\n"
	require.Equal(t, none, string(build(t, v).Files["config/package.star"]))
	v.LeftOut = []catalog.LeftOut{{Image: "sail", Reason: `it is "wet"`}}
	require.Contains(t, string(build(t, v).Files["config/package.star"]), "left_out = {\n  \"sail\": \"it is \\\"wet\\\"\",\n}\n")
}

// Every way in which the manifests write an image has its own entry; the
// CRD's prose has none.
func TestBuildImagesLock(t *testing.T) {
	b := build(t, newVersion(t, nil))
	entries, err := oci.ParseImagesLock(b.Files[".imgpkg/images.yml"])
	require.NoError(t, err)
	require.Equal(t, []oci.LockEntry{
		{Image: canonical + "@" + serverDigest, ID: "upstream.example/demo/server:1.0"},
		{Image: canonical + "@" + serverDigest, ID: "upstream.example/demo/server:1.0-debug"},
		{Image: canonical + "@" + agentDigest, ID: "upstream.example/demo/agent:1.0"},
	}, entries)
}

func TestBuildPackageCR(t *testing.T) {
	b := build(t, newVersion(t, nil))
	var cr struct {
		Metadata map[string]any
		Spec     struct {
			RefName, Version, ReleasedAt string
			ValuesSchema                 struct {
				OpenAPIv3 struct {
					AdditionalProperties bool
					Properties           map[string]struct {
						Description string
						Default     any
						Maximum     int
						Enum        []string
					}
				}
			}
			Template struct {
				Spec struct {
					Fetch            []struct{ ImgpkgBundle struct{ Image string } }
					Template, Deploy []map[string]any
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(b.PackageCR, &cr))
	require.Equal(t, map[string]any{"name": "demo.strake.test.1.0.0"}, cr.Metadata)
	require.Equal(t, "demo.strake.test", cr.Spec.RefName)
	require.Equal(t, "2026-01-02T03:04:05Z", cr.Spec.ReleasedAt)
	require.Equal(t, canonical+"@"+b.Digest, cr.Spec.Template.Spec.Fetch[0].ImgpkgBundle.Image)
	// Values and overlays of a user reach the first step alone, so there is one ytt.
	// kbld reads the lock that "imgpkg pull" moved; nothing else gives it to kbld.
	require.Equal(t, []map[string]any{
		{"ytt": map[string]any{"paths": []any{"config"}, "fileMarks": []any{"upstream/crds.yml:type=yaml-plain", "upstream/objects.yml:type=yaml-plain"}}},
		{"kbld": map[string]any{"paths": []any{"-", ".imgpkg/images.yml"}}},
	}, cr.Spec.Template.Spec.Template)
	require.Equal(t, []map[string]any{{"kapp": map[string]any{
		"rawOptions": []any{"--wait-check-interval=250ms", "--apply-concurrency=20", "--app-changes-max-to-keep=0", "--logs=false"},
		"delete":     map[string]any{"rawOptions": []any{"--wait-check-interval=250ms", "--wait-ignored=false"}},
	}}}, cr.Spec.Template.Spec.Deploy)
	properties := cr.Spec.ValuesSchema.OpenAPIv3.Properties
	require.Equal(t, "How many copies run", properties["replicas"].Description)
	require.Equal(t, 5, properties["replicas"].Maximum)
	require.Equal(t, []string{"info", "debug"}, properties["logLevel"].Enum)
}

func TestMetadataCR(t *testing.T) {
	text, err := bundle.MetadataCR(newVersion(t, nil).Package, repo())
	require.NoError(t, err)
	require.Equal(t, `apiVersion: data.packaging.carvel.dev/v1alpha1
kind: PackageMetadata
metadata:
  name: demo.strake.test
spec:
  displayName: Demo
  maintainers:
  - name: Us
  shortDescription: A demo
`, string(text))
}

// The digest depends on what is in the folder, not on where it is, nor on
// file modes or on what runs beside it.
func TestBuildIsReproducible(t *testing.T) {
	first := build(t, newVersion(t, nil))
	digests := make([]string, 4)
	var group sync.WaitGroup
	for i := range digests {
		v := newVersion(t, nil)
		require.NoError(t, os.Chmod(filepath.Join(v.Package.Config(), "kapp.yml"), 0o600))
		list := objects(t, upstream)
		group.Go(func() {
			b, err := bundle.Build(context.Background(), v, repo(), list)
			if err == nil {
				digests[i] = b.Digest
			}
		})
	}
	group.Wait()
	for _, digest := range digests {
		require.Equal(t, first.Digest, digest)
	}
	changed := build(t, newVersion(t, map[string]string{"kapp.yml": kappText + "\n"}))
	require.NotEqual(t, first.Digest, changed.Digest)
}

func TestBuildErrors(t *testing.T) {
	for name, test := range map[string]struct {
		files  map[string]string
		edit   func(*catalog.Version)
		stream string
		want   []string
	}{
		"no lock": {
			edit: func(v *catalog.Version) { v.Images = nil },
			want: []string{"images.lock.yml", `strake images lock demo@1.0.0`},
		},
		"image that nothing names": {
			edit: func(v *catalog.Version) { v.Images.Images[1].Reference = "upstream.example/demo/agen" },
			want: []string{"package.yml: images[name=agent].reference", `"upstream.example/demo/agen"`},
		},
		"no config folder": {
			edit: func(v *catalog.Version) { v.Package.Dir = filepath.Join(v.Package.Dir, "gone") },
			want: []string{filepath.Join("gone", "config"), "schema.yml"},
		},
		"schema that declares nothing": {
			files: map[string]string{"schema.yml": "a: 1\n"},
			want:  []string{"#@data/values-schema"},
		},
		"schema with a mistake": {
			files: map[string]string{"schema.yml": "#@data/values-schema\n---\nlist: []\n"},
			want:  []string{"values schema of demo 1.0.0", "schema.yml:"},
		},
		"config in the upstream's place": {
			files: map[string]string{"upstream/mine.yml": "a: 1"},
			want:  []string{filepath.Join("config", "upstream"), "taken"},
		},
		"constraint that kapp-controller cannot read": {
			edit: func(v *catalog.Version) { v.Kubernetes = ">=1.30" },
			want: []string{"version.yml", "spec.kubernetesVersionSelection.constraints"},
		},
		"default under a key image": {
			files: map[string]string{"schema.yml": schemaText + "#@schema/type any=True\n#@schema/desc \"x\"\nsidecar:\n  image: a:1\n"},
			want:  []string{`"a:1"`, `key "image"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVersion(t, test.files)
			if test.edit != nil {
				test.edit(v)
			}
			_, err := bundle.Build(context.Background(), v, repo(), objects(t, upstream))
			require.Error(t, err)
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
	_, err := bundle.Build(context.Background(), newVersion(t, nil), repo(), nil)
	require.Error(t, err)
}

func TestTag(t *testing.T) {
	require.Equal(t, "keda-2.21.0-strake.2", bundle.Tag("keda", "2.21.0+strake.2"))
	require.NotContains(t, bundle.Tag("a", "1.0.0+b+c"), "+")
}
