package upstream_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

const moduleContents = `
path: app
directory:
  path: module://example.com/app
includePaths:
- config/**/*
`

// proxy serves Go modules, and makes the go command ask nobody else.
type proxy struct{ *server }

func newProxy(t *testing.T) proxy {
	t.Helper()
	p := proxy{newServer(t)}
	t.Setenv("GOPROXY", p.URL)
	t.Setenv("GONOSUMDB", "*")
	t.Setenv("GONOPROXY", "")
	t.Setenv("GOPRIVATE", "")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	return p
}

// add serves a module and gives its lines of go.sum.
func (p proxy) add(t *testing.T, path, version string, files map[string]string) string {
	t.Helper()
	mod := "module " + path + "\n\ngo 1.24\n"
	inZip := map[string]string{path + "@" + version + "/go.mod": mod}
	for name, text := range files {
		inZip[path+"@"+version+"/"+name] = text
	}
	data := zipped(t, inZip)
	base := "/" + path + "/@v/" + version
	p.files[base+".info"] = []byte(`{"Version":"` + version + `"}`)
	p.files[base+".mod"] = []byte(mod)
	p.files[base+".zip"] = data

	file := filepath.Join(t.TempDir(), "m.zip")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	hash, err := dirhash.HashZip(file, dirhash.Hash1)
	require.NoError(t, err)
	return path + " " + version + " " + hash + "\n"
}

// newModuleVersion is a version that pins example.com/app v1.2.3.
func newModuleVersion(t *testing.T) (*catalog.Version, proxy) {
	t.Helper()
	p := newProxy(t)
	v := newVersion(t, indent(moduleContents))
	write(t, filepath.Join(v.Dir, "go.mod"), "module x\n\ngo 1.24\n\nrequire example.com/app v1.2.3\n")
	write(t, filepath.Join(v.Dir, "go.sum"), p.add(t, "example.com/app", "v1.2.3", map[string]string{
		"config/a.yml": "a: 1\n", "config/sub/b.yml": "b: 2\n", "main.go": "package main\n", "LICENSE": "free\n",
	}))
	return v, p
}

func TestFetchModule(t *testing.T) {
	v, p := newModuleVersion(t)
	sums := read(t, filepath.Join(v.Dir, "go.sum"))
	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{
		"upstream/app/LICENSE":          "free\n",
		"upstream/app/config/a.yml":     "a: 1\n",
		"upstream/app/config/sub/b.yml": "b: 2\n",
	})
	require.Equal(t, upstream.Origin{
		Source: "module example.com/app@v1.2.3", Path: "config/sub/b.yml", Sum: strings.Fields(sums)[2],
	}, s.Origins["upstream/app/config/sub/b.yml"])
	info, err := os.Stat(filepath.Join(s.Dir, "upstream/app/LICENSE"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o444), info.Mode().Perm())
	require.Equal(t, sums, read(t, filepath.Join(v.Dir, "go.sum")), "the version's folder must not be written to")

	// A second time nothing is asked for, and no program is started.
	p.Close()
	t.Setenv("PATH", "")
	again, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	require.Equal(t, s, again)
}

func TestFetchModuleWithoutItsDate(t *testing.T) {
	v, p := newModuleVersion(t)
	delete(p.files, "/example.com/app/@v/v1.2.3.info")
	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{
		"upstream/app/LICENSE":          "free\n",
		"upstream/app/config/a.yml":     "a: 1\n",
		"upstream/app/config/sub/b.yml": "b: 2\n",
	})
}

func TestFetchReplacedModule(t *testing.T) {
	v, p := newModuleVersion(t)
	write(t, filepath.Join(v.Dir, "go.mod"),
		"module x\n\ngo 1.24\n\nrequire example.com/app v1.2.3\n\nreplace example.com/app v1.2.3 => example.com/fork v0.1.0\n")
	sums := p.add(t, "example.com/fork", "v0.1.0", map[string]string{"config/fork.yml": "f: 1\n"})
	write(t, filepath.Join(v.Dir, "go.sum"), sums)
	// The go command wants the replacement to bear the name it replaces.
	p.files["/example.com/fork/@v/v0.1.0.mod"] = []byte("module example.com/app\n")
	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{"upstream/app/config/fork.yml": "f: 1\n"})
	require.Equal(t, "module example.com/fork@v0.1.0", s.Origins["upstream/app/config/fork.yml"].Source)
}

// newNestedVersion is a version that pins example.com/app in its own go.mod,
// and example.com/pump in that of a folder below it.
func newNestedVersion(t *testing.T) (*catalog.Version, proxy) {
	t.Helper()
	v, p := newModuleVersion(t)
	file := filepath.Join(v.Package.Dir, "vendir.yml")
	write(t, file, read(t, file)+indent("path: pump\ndirectory: {path: 'module://example.com/pump'}\n"))
	write(t, filepath.Join(v.Dir, "pump/go.mod"), "module pump\n\ngo 1.24\n\nrequire example.com/pump v0.2.0\n")
	write(t, filepath.Join(v.Dir, "pump/go.sum"), p.add(t, "example.com/pump", "v0.2.0", map[string]string{"pump.yml": "p: 1\n"}))
	return v, p
}

func TestFetchNestedModule(t *testing.T) {
	v, _ := newNestedVersion(t)
	want := map[string]string{
		"upstream/app/LICENSE": "free\n", "upstream/app/config/a.yml": "a: 1\n", "upstream/app/config/sub/b.yml": "b: 2\n",
		"upstream/pump/go.mod": "module example.com/pump\n\ngo 1.24\n", "upstream/pump/pump.yml": "p: 1\n",
	}
	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, want)
	require.Equal(t, "module example.com/pump@v0.2.0", s.Origins["upstream/pump/pump.yml"].Source)

	// Both may require a module if they agree.
	for _, name := range []string{"go.mod", "go.sum"} {
		nested := filepath.Join(v.Dir, "pump", name)
		line := "require example.com/app v1.2.3\n"
		if name == "go.sum" {
			line = read(t, filepath.Join(v.Dir, name))
		}
		write(t, nested, read(t, nested)+line)
	}
	s, err = upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, want)
}

// TestFetchBesideAStandIn has a module that a folder of the version replaces:
// the go command reads it, whatever module it is asked for.
func TestFetchBesideAStandIn(t *testing.T) {
	v, _ := newModuleVersion(t)
	file := filepath.Join(v.Dir, "go.mod")
	write(t, file, read(t, file)+"require example.com/gone v1.0.0\nreplace example.com/gone => ./gone\n")
	write(t, filepath.Join(v.Dir, "gone/go.mod"), "module example.com/gone\n\ngo 1.24\n")
	_, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
}

func TestFetchNestedModuleErrors(t *testing.T) {
	v, _ := newNestedVersion(t)
	nested := filepath.Join(v.Dir, "pump/go.mod")
	good := read(t, nested)
	for name, c := range map[string]struct {
		mod  string
		want []string
	}{
		"no sum": {
			good + "require example.com/app v1.2.4\nreplace example.com/app => example.com/app v1.2.5\n",
			[]string{"pump/go.sum has no sum for example.com/app v1.2.5"},
		},
		"required by none": {
			"module pump\n", []string{"go.mod does not require module example.com/pump, nor do the modules below it", "go get -tool"},
		},
		"broken": {"module pump\nrequire\nnothing y\n", []string{"pump/go.mod:3"}},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, nested, c.mod)
			_, err := upstream.Fetch(t.Context(), v)
			require.Error(t, err)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			requireNothingKept(t)
		})
	}
	write(t, nested, good+"require example.com/app v1.2.4\n")
	write(t, filepath.Join(v.Dir, "pump/go.sum"), read(t, filepath.Join(v.Dir, "pump/go.sum"))+"example.com/app v1.2.4 h1:x=\n")
	_, err := upstream.Fetch(t.Context(), v)
	require.ErrorContains(t, err, "pins module example.com/app to example.com/app v1.2.3, but "+nested+" to example.com/app v1.2.4")
}

func TestFetchModuleErrors(t *testing.T) {
	const otherSum = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	for name, c := range map[string]struct {
		change func(t *testing.T, v *catalog.Version, p proxy)
		want   []string
	}{
		"no go.mod": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				require.NoError(t, os.Remove(filepath.Join(v.Dir, "go.mod")))
			},
			[]string{"go.mod", "go mod init"},
		},
		"broken go.mod": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				write(t, filepath.Join(v.Dir, "go.mod"), "module x\nrequire\nnothing y\n")
			},
			[]string{"go.mod:3"},
		},
		"not required": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				write(t, filepath.Join(v.Dir, "go.mod"), "module x\n")
			},
			[]string{"go.mod does not require module example.com/app", "go get -tool"},
		},
		"no sum": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				write(t, filepath.Join(v.Dir, "go.sum"), "example.com/app v1.2.3/go.mod "+otherSum+"\n")
			},
			[]string{"go.sum has no sum for example.com/app v1.2.3", "go mod download example.com/app"},
		},
		"no go.sum": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				require.NoError(t, os.Remove(filepath.Join(v.Dir, "go.sum")))
			},
			[]string{"go.sum has no sum for example.com/app v1.2.3"},
		},
		"another sum": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				write(t, filepath.Join(v.Dir, "go.sum"), "example.com/app v1.2.3 "+otherSum+"\n")
			},
			[]string{"example.com/app@v1.2.3", "checksum mismatch", otherSum, "downloaded: h1:"},
		},
		"a folder": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				write(t, filepath.Join(v.Dir, "go.mod"), "module x\n\nrequire example.com/app v1.2.3\nreplace example.com/app => ../app\n")
			},
			[]string{"go.mod:4", "replaced by the folder ../app"},
		},
		"not served": {
			func(_ *testing.T, _ *catalog.Version, p proxy) { clear(p.files) },
			[]string{"downloading module", "example.com/app@v1.2.3", "404"},
		},
		"changed in the module cache": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "example.com/app")
				cmd.Dir = v.Dir
				require.NoError(t, cmd.Run())
				write(t, filepath.Join(os.Getenv("GOMODCACHE"), "example.com/app@v1.2.3/config/a.yml"), "a: changed\n")
			},
			[]string{"differs from", "its files hash to h1:", "not h1:", "go clean -modcache"},
		},
		"nothing to include": {
			func(t *testing.T, v *catalog.Version, _ proxy) {
				file := filepath.Join(v.Package.Dir, "vendir.yml")
				write(t, file, strings.ReplaceAll(read(t, file), "config/**/*", "confg/**/*")+"    legalPaths: []\n")
			},
			[]string{"vendir.yml", "at least one file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, p := newModuleVersion(t)
			c.change(t, v, p)
			_, err := upstream.Fetch(t.Context(), v)
			require.Error(t, err)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			requireNothingKept(t)
		})
	}
}

func TestLockOfModulesOnly(t *testing.T) {
	v, _ := newModuleVersion(t)
	relock(t, v)
	lock := filepath.Join(v.Dir, catalog.VendirLockFile)
	require.NoFileExists(t, lock)

	write(t, lock, "left: over\n")
	_, err := upstream.Fetch(t.Context(), v)
	require.ErrorContains(t, err, "vendir.lock.yml pins nothing")
	relock(t, v)
	require.NoFileExists(t, lock)
	_, err = upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
}

func TestKeyChangesWithEachInput(t *testing.T) {
	v, _ := newModuleVersion(t)
	seen := map[string]string{}
	look := func(change string) {
		key, err := upstream.Key(v)
		require.NoError(t, err)
		require.Empty(t, seen[key], "%s gives the key of %s", change, seen[key])
		seen[key] = change
	}
	look("nothing")
	for _, file := range []string{
		filepath.Join(v.Package.Dir, "vendir.yml"), filepath.Join(v.Dir, "go.mod"),
		filepath.Join(v.Dir, "go.sum"), filepath.Join(v.Dir, "vendir.lock.yml"),
		filepath.Join(v.Dir, "nested", "go.mod"), filepath.Join(v.Dir, "nested", "go.sum"),
	} {
		write(t, file, "changed")
		look(file)
	}
	v.Upstream = "1.2.4"
	look("upstream version")
	v.Version = "1.2.4"
	look("version")
	v.LeftOut = []catalog.LeftOut{{Image: "sail"}}
	look("left out")
}
