package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// fixture is a checkout whose images are locked and whose bundles are built,
// made once and copied for each script.
type fixture struct {
	checkout, cache string
	// env is what the go command needs to find the fixture's modules and
	// nothing else.
	env []string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	proxy := filepath.Join(dir, "proxy")
	sums := makeProxy(t, filepath.Join("testdata", "modules"), proxy)
	f := &fixture{
		checkout: filepath.Join(dir, "checkout"),
		cache:    filepath.Join(dir, "cache"),
		env: []string{
			"GOPROXY=file://" + filepath.ToSlash(proxy), "GOSUMDB=off", "GONOSUMDB=", "GOPRIVATE=", "GOTOOLCHAIN=local",
			"GOFLAGS=-modcacherw", "GOENV=off", "GOCACHE=" + goEnv(t, "GOCACHE"),
		},
	}
	require.NoError(t, os.CopyFS(f.checkout, os.DirFS(filepath.Join("testdata", "checkout"))))
	for version, lines := range sums {
		file := filepath.Join(f.checkout, "packages", "tiny", version, "go.sum")
		require.NoError(t, os.WriteFile(file, []byte(lines), 0o644))
	}
	f.strake(t, dir, "images", "lock")
	f.strake(t, dir, "build")
	return f
}

func (f *fixture) strake(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("strake", args...)
	cmd.Dir = f.checkout
	cmd.Env = append(append(os.Environ(), f.env...), "STRAKE_CACHE="+f.cache,
		"HOME="+filepath.Join(dir, "home"), "GOPATH="+filepath.Join(dir, "go"), "GOMODCACHE="+filepath.Join(dir, "go", "mod"))
	out, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "strake %s:\n%s", strings.Join(args, " "), out)
}

// setup gives a script a checkout to begin in. Files of the script itself
// that lie under checkout/ win over the fixture's.
func (f *fixture) setup(env *testscript.Env) error {
	checkout, cache := filepath.Join(env.WorkDir, "checkout"), filepath.Join(env.WorkDir, "cache")
	overrides := filepath.Join(env.WorkDir, ".overrides")
	if err := os.Rename(checkout, overrides); err != nil && !os.IsNotExist(err) {
		return err
	}
	for from, to := range map[string]string{f.checkout: checkout, f.cache: cache} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return err
		}
	}
	if err := overlay(overrides, checkout); err != nil {
		return err
	}
	env.Cd = checkout
	env.Vars = append(env.Vars, f.env...)
	for name, dir := range map[string]string{"HOME": "home", "GOPATH": "go", "GOMODCACHE": "go/mod", "STRAKE_CACHE": "cache", "DOCKER_CONFIG": "docker"} {
		env.Setenv(name, filepath.Join(env.WorkDir, filepath.FromSlash(dir)))
	}
	env.Values[registriesKey{}] = &registries{}
	return nil
}

// overlay copies the files of from over those of to.
func overlay(from, to string) error {
	if _, err := os.Stat(from); os.IsNotExist(err) {
		return nil
	}
	return filepath.WalkDir(from, func(file string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), content, 0o644)
	})
}

// makeProxy turns folders named PATH@VERSION below from into a Go module
// proxy's files, and answers with the lines of go.sum by version.
func makeProxy(t *testing.T, from, to string) map[string]string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(from, "*", "*@*"))
	require.NoError(t, err)
	sums := map[string]string{}
	for _, folder := range folders {
		rel, err := filepath.Rel(from, folder)
		require.NoError(t, err)
		modulePath, version, _ := strings.Cut(filepath.ToSlash(rel), "@")
		m := module.Version{Path: modulePath, Version: version}
		sums[strings.TrimPrefix(version, "v")] = addModule(t, m, folder, filepath.Join(to, modulePath, "@v", version))
	}
	return sums
}

func addModule(t *testing.T, m module.Version, folder, base string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(base), 0o755))
	goMod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	require.NoError(t, err)
	var archive bytes.Buffer
	require.NoError(t, zip.CreateFromDir(&archive, m, folder))
	for suffix, content := range map[string][]byte{
		".mod": goMod, ".zip": archive.Bytes(), ".info": fmt.Appendf(nil, `{"Version":%q}`, m.Version),
	} {
		require.NoError(t, os.WriteFile(base+suffix, content, 0o644))
	}
	return goSum(t, m, base)
}

func goSum(t *testing.T, m module.Version, base string) string {
	t.Helper()
	content, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	require.NoError(t, err)
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(base + ".mod") })
	require.NoError(t, err)
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, content, m.Path, m.Version, mod)
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return path.Clean(strings.TrimSpace(string(out)))
}
