package image

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// plainVersion is a version whose module is files alone: hashing starts no
// process.
func plainVersion(t *testing.T) *catalog.Version {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	}
	write("go.mod", "module sample\n\nreplace example.test/stub => ./stub\n")
	write("go.sum", "")
	write("stub/go.mod", "module example.test/stub\n")
	write("stub/stub.go", "package stub\n")
	return &catalog.Version{
		Package: &catalog.Package{Name: "sample", Metadata: catalog.Metadata{Source: "https://example.test"}},
		Dir:     dir, Version: "1.2.3", Upstream: "1.2.3", ReleasedAt: time.Unix(1, 0), Licenses: []string{"MIT"},
		Images: &catalog.ImagesLock{Toolchain: "go1.26.8", Base: "sha256:00"},
	}
}

func TestInputs(t *testing.T) {
	type change func(t *testing.T, v *catalog.Version, img *catalog.Image, platforms *[]string)
	put := func(name, content string) change {
		return func(t *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) {
			require.NoError(t, os.WriteFile(filepath.Join(v.Dir, name), []byte(content), 0o644))
		}
	}
	tests := map[string]struct {
		change change
		same   bool
	}{
		"go.mod":             {change: put("go.mod", "module sample\n\ngo 1.26.0\n")},
		"go.sum":             {change: put("go.sum", "example.test/a v1.0.0 h1:x=\n")},
		"a replacing folder": {change: put("stub/stub.go", "package stub\n\nvar X int\n")},
		"own source":         {change: put("main.go", "package main\n")},
		"own test":           {change: put("main_test.go", "package main\n"), same: true},
		"no source":          {change: put("notes.txt", "read me\n"), same: true},
		"another file":       {change: put("version.yml", "x: y\n"), same: true},
		"upstream version":   {change: func(_ *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) { v.Upstream = "1.2.4" }},
		"package revision":   {change: func(_ *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) { v.Version = "1.2.3+strake.2" }, same: true},
		"release date":       {change: func(_ *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) { v.ReleasedAt = time.Unix(2, 0) }},
		"licence":            {change: func(_ *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) { v.Licenses = nil }},
		"toolchain":          {change: func(_ *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) { v.Images.Toolchain = "go1" }},
		"base":               {change: func(_ *testing.T, v *catalog.Version, _ *catalog.Image, _ *[]string) { v.Images.Base = "sha256:01" }},
		"platforms":          {change: func(_ *testing.T, _ *catalog.Version, _ *catalog.Image, p *[]string) { *p = append(*p, "linux/arm64") }},
		"reference":          {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) { img.Reference = "other" }, same: true},
		"name":               {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) { img.Name = "other" }},
		"command":            {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) { img.Command = "other" }},
		"further command":    {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) { img.With = []string{"other"} }},
		"link": {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) {
			img.Links = map[string]string{"/x": "y"}
		}},
		"linker flag": {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) {
			img.Ldflags = []string{"-X=a.b=c"}
		}},
		"build tag": {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) {
			img.Tags = []string{"all"}
		}},
		"user": {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) { img.User = "1" }},
		"file": {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) {
			img.Files = []catalog.ImageFile{{Path: "/x"}}
		}},
		"where upstream's is": {change: func(_ *testing.T, _ *catalog.Version, img *catalog.Image, _ *[]string) { img.Published = "x" }, same: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := plainVersion(t)
			img, platforms := serverImage(), []string{DefaultPlatform}
			before, err := Inputs(v, img, platforms)
			require.NoError(t, err)
			require.Regexp(t, "^sha256:[0-9a-f]{64}$", before)
			test.change(t, v, &img, &platforms)
			after, err := Inputs(v, img, platforms)
			require.NoError(t, err)
			require.Equal(t, test.same, before == after)
		})
	}
}

func TestInputsThatCannotBeRead(t *testing.T) {
	tests := map[string]struct{ name, content, want string }{
		"no module":     {"go.mod", "", "go.mod"},
		"not a module":  {"go.mod", "nonsense\n", "unknown directive: nonsense"},
		"folder absent": {"go.mod", "module m\n\nreplace example.test/a => ./absent\n", "the folder ./absent that replaces example.test/a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := plainVersion(t)
			file := filepath.Join(v.Dir, test.name)
			require.NoError(t, os.Remove(file))
			if test.content != "" {
				require.NoError(t, os.WriteFile(file, []byte(test.content), 0o644))
			}
			_, err := Inputs(v, serverImage(), nil)
			require.ErrorContains(t, err, "hashing what image server of sample 1.2.3 is built from")
			require.ErrorContains(t, err, test.want)
		})
	}
}
