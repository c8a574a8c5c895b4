package scaffold_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/scaffold"
)

func options() scaffold.Options {
	return scaffold.Options{Name: "sail", Version: "1.2.0", Released: time.Unix(0, 0)}
}

func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "packages"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "repo"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, catalog.RepositoryFile),
		[]byte("domain: strake.test\ncanonical: registry.test/x\nversion: 1.0.0\npublished: {}\n"), 0o644))
	return root
}

func TestFilesLoad(t *testing.T) {
	of := map[string]func(*scaffold.Options){
		"nothing": func(*scaffold.Options) {},
		"a module": func(o *scaffold.Options) {
			o.Module, o.ModuleVersion, o.Path, o.Kind = "example.test/sail/v2", "v2.1.0", "config", catalog.Kustomize
		},
		"a chart": func(o *scaffold.Options) {
			o.Chart, o.ChartVersion, o.Repository, o.Kind = "sail", "1.2.0", "https://charts.example.test", catalog.Helm
			o.SHA256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		},
	}
	for name, set := range of {
		t.Run(name, func(t *testing.T) {
			o, root := options(), checkout(t)
			set(&o)
			files, err := scaffold.Files(o)
			require.NoError(t, err)
			dir := filepath.Join(root, "packages", "sail")
			require.NoError(t, scaffold.Write(dir, files))
			c, err := catalog.Load(root)
			require.NoError(t, err)
			require.Equal(t, "sail", c.Packages[0].Name)
			require.Equal(t, "1.2.0", c.Packages[0].Versions[0].Version)
			require.Equal(t, o.Kind != "", slices.Contains(slices.Collect(maps.Keys(files)), catalog.VendirFile))

			require.ErrorContains(t, scaffold.Write(dir, files), "exists")
			entries, err := os.ReadDir(filepath.Dir(dir))
			require.NoError(t, err)
			require.Len(t, entries, 1, "no temporary folder is left")
		})
	}
}

func TestCheck(t *testing.T) {
	for want, set := range map[string]func(*scaffold.Options){
		`the name "Sail"`:              func(o *scaffold.Options) { o.Name = "Sail" },
		`the name "../x"`:              func(o *scaffold.Options) { o.Name = "../x" },
		`the version "1.2"`:            func(o *scaffold.Options) { o.Version = "1.2" },
		"not of the form PATH@VERSION": func(o *scaffold.Options) { o.Module, o.ModuleVersion, o.Path = "example.test/a", "2", "." },
		`the path "../config"`:         func(o *scaffold.Options) { o.Module, o.ModuleVersion, o.Path = "example.test/a", "v1.0.0", "../config" },
		"64 hexadecimal":               func(o *scaffold.Options) { o.Chart = "a" },
	} {
		o := options()
		set(&o)
		_, err := scaffold.Files(o)
		require.ErrorContains(t, err, want)
	}
}
