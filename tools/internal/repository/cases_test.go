package repository_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/lint"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

var update = flag.Bool("update", false, "rewrite expected.yml of all render cases")

// TestRenderCases renders every packages/NAME/test/CASE as kapp-controller
// would and compares the outcome with the text that stands beside the values:
//
//	values.yml    what a user sets; may be missing
//	expected.yml  the objects that come out; written by -update
//	error.txt     instead of it: lines that the error must hold, ytt's or, with
//	              cluster.yml, kapp's
//	objects.yml   optional list of Kind/name to show
//	version       optional version to render; the newest without it
//	own-rights    optional reason why the bundle's rbac/ is not enough for it
//	cluster.yml   optional objects as a cluster holds them, to show what an
//	              update by kapp would make of them
//
// Without objects.yml a case shows what its values add, change or take away;
// a case without values shows everything but CRDs. Digests of images are
// shown as the images' names, so a new build of them changes no case.
//
// What a case renders to is judged by the linter, too, which judges default
// values by itself: a trap that -update would wave through fails there, with the
// reason. So does a locked image that no case of its package names: whoever should
// start it was not told, and would take the one that is compiled in.
func TestRenderCases(t *testing.T) {
	c, plain := checkout(t), map[*catalog.Version][]manifest.Object{}
	for _, p := range c.Packages {
		dirs, err := filepath.Glob(filepath.Join(p.Dir, "test", "*", ""))
		require.NoError(t, err)
		ran, named := 0, map[string]bool{}
		for _, dir := range dirs {
			t.Run(p.Name+"/"+filepath.Base(dir), func(t *testing.T) {
				ran++
				renderCase{t: t, catalog: c, version: caseVersion(t, p, dir), dir: dir, plain: plain, named: named}.run()
			})
		}
		if len(dirs) > 0 && ran == len(dirs) { // else -run picked some
			requireImages(t, p, named)
		}
	}
}

func requireImages(t *testing.T, p *catalog.Package, named map[string]bool) {
	t.Helper()
	for _, image := range p.Images {
		if !leftOutAlways(p, image.Name) {
			require.True(t, named[image.Name], "%s: no case renders an object that names the image %s", p.Name, image.Name)
		}
	}
}

// renderCase is one folder of packages/NAME/test.
type renderCase struct {
	t       *testing.T
	catalog *catalog.Catalog
	version *catalog.Version
	dir     string
	// plain holds what each version renders to without values, once that is known.
	plain map[*catalog.Version][]manifest.Object
	// named are the package's images that some case's objects name.
	named map[string]bool
}

func (r renderCase) run() {
	b, err := repository.BuildVersion(context.Background(), r.catalog, r.version, repository.Options{})
	require.NoError(r.t, err)
	objects, err := bundle.Render(context.Background(), b, r.values(), bundle.RenderOptions{})
	got := ""
	if err == nil {
		require.Empty(r.t, lint.Rendered(r.catalog, r.version, objects))
		r.noteImages(objects)
		got, err = r.show(b, objects)
	}
	if want := r.text("error.txt"); want != "" {
		require.Error(r.t, err)
		for line := range strings.Lines(want) {
			require.ErrorContains(r.t, err, strings.TrimSpace(line))
		}
		return
	}
	require.NoError(r.t, err)
	r.covered(b, objects)
	if *update {
		require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, "expected.yml"), []byte(got), 0o644))
		return
	}
	require.Equal(r.t, r.text("expected.yml"), got, "if the change is wanted: go test ./tools/internal/repository -run TestRenderCases -update")
}

func (r renderCase) noteImages(objects []manifest.Object) {
	var text strings.Builder
	require.NoError(r.t, manifest.Encode(&text, objects))
	for _, image := range r.version.Images.Images {
		if strings.Contains(text.String(), image.Digest) {
			r.named[image.Name] = true
		}
	}
}

func (r renderCase) text(name string) string {
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(r.t, err)
	}
	return string(data)
}

// values are the file of values, if the case has one.
func (r renderCase) values() []bundle.ValuesFile {
	if text := r.text("values.yml"); text != "" {
		return []bundle.ValuesFile{{Name: "values.yml", Data: []byte(text)}}
	}
	return nil
}

// show is the text of the objects that the case is about. The error is kapp's.
func (r renderCase) show(b *bundle.Bundle, objects []manifest.Object) (string, error) {
	if names := r.text("objects.yml"); names != "" {
		return r.listed(names, objects), nil
	}
	if cluster := r.text("cluster.yml"); cluster != "" {
		return r.updated(cluster, objects)
	}
	if strings.TrimSpace(r.text("values.yml")) == "" {
		return r.encode(without(objects, "CustomResourceDefinition")), nil
	}
	if r.plain[r.version] == nil {
		plain, err := bundle.Render(context.Background(), b, nil, bundle.RenderOptions{})
		require.NoError(r.t, err)
		r.plain[r.version] = plain
	}
	return r.changed(r.plain[r.version], objects), nil
}

func (r renderCase) listed(names string, objects []manifest.Object) string {
	var list []string
	require.NoError(r.t, yaml.UnmarshalStrict([]byte(names), &list))
	var out strings.Builder
	for _, name := range list {
		text := r.encode(named(objects, name))
		if text == "" {
			text = "---\n# not rendered: " + name + "\n"
		}
		out.WriteString(text)
	}
	return out.String()
}

// changed shows what differs from the default values' objects.
func (r renderCase) changed(plain, objects []manifest.Object) string {
	before := map[string]string{}
	for _, o := range plain {
		before[o.ID()] = r.encode([]manifest.Object{o})
	}
	var out strings.Builder
	for _, o := range objects {
		if text := r.encode([]manifest.Object{o}); text != before[o.ID()] {
			out.WriteString(text)
		}
		delete(before, o.ID())
	}
	for _, o := range plain {
		if _, gone := before[o.ID()]; gone {
			out.WriteString("---\n# not rendered: " + o.ID() + "\n")
		}
	}
	return out.String()
}

// encode prints objects without what changes with every build of an image.
func (r renderCase) encode(objects []manifest.Object) string {
	var out strings.Builder
	for _, o := range objects {
		annotations := o.GetAnnotations()
		if delete(annotations, "kbld.k14s.io/images"); len(annotations) == 0 {
			annotations = nil
		}
		o.SetAnnotations(annotations)
	}
	require.NoError(r.t, manifest.Encode(&out, objects))
	text := out.String()
	for _, image := range r.version.Images.Images {
		text = strings.ReplaceAll(text, image.Digest, image.Name)
	}
	return text
}

func caseVersion(t *testing.T, p *catalog.Package, dir string) *catalog.Version {
	t.Helper()
	name, err := os.ReadFile(filepath.Join(dir, "version"))
	if errors.Is(err, fs.ErrNotExist) {
		return p.Versions[len(p.Versions)-1]
	}
	require.NoError(t, err)
	v, err := p.Version(strings.TrimSpace(string(name)))
	require.NoError(t, err)
	return v
}

// leftOutAlways tells whether no version has an optional image.
func leftOutAlways(p *catalog.Package, name string) bool {
	return !slices.ContainsFunc(p.Versions, func(v *catalog.Version) bool {
		return slices.ContainsFunc(v.Offered(), func(image catalog.Image) bool { return image.Name == name })
	})
}

func without(objects []manifest.Object, kind string) []manifest.Object {
	var rest []manifest.Object
	for _, o := range objects {
		if o.GetKind() != kind {
			rest = append(rest, o)
		}
	}
	return rest
}

func named(objects []manifest.Object, name string) []manifest.Object {
	var some []manifest.Object
	for _, o := range objects {
		if o.GetKind()+"/"+o.GetName() == name {
			some = append(some, o)
		}
	}
	return some
}
