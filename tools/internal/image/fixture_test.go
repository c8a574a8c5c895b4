package image

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// shared is what all tests take their commands from, made by the first that
// needs it: a module proxy in a folder, a module cache, and a version folder.
var shared struct {
	sync.Once
	dir string
}

func TestMain(m *testing.M) {
	// The go command starts the test's program for the build store.
	if code, isChild := child.Enter(gocache.Job()); isChild {
		os.Exit(code)
	}
	// What ko says of itself is no news here.
	log.SetOutput(io.Discard)
	code := m.Run()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// newVersion makes a package version whose module takes its commands from
// the shared proxy, with an image cache of its own.
func newVersion(t *testing.T) *catalog.Version {
	t.Helper()
	shared.Do(func() { share(t) })
	setEnv(t)
	freshCache(t)
	return &catalog.Version{
		Package: &catalog.Package{
			Name:     "sample",
			Metadata: catalog.Metadata{Source: "https://example.test/commands"},
			Images:   []catalog.Image{serverImage()},
		},
		Dir: filepath.Join(shared.dir, "version"), Version: "1.2.3", Upstream: "1.2.3",
		ReleasedAt: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Licenses:   []string{"Apache-2.0", "MIT"},
	}
}

func share(t *testing.T) {
	dir, err := os.MkdirTemp("", "image-test")
	require.NoError(t, err)
	shared.dir = dir
	proxy := filepath.Join(dir, "proxy")
	publish(t, proxy, "testdata/commands", "example.test/commands", "v1.2.3")
	publish(t, proxy, "testdata/replaced", "example.test/replaced", "v1.0.0")
	publish(t, proxy, "testdata/replaced", "example.test/replaced", "v1.1.0")
	setEnv(t)
	newModule(t, filepath.Join(dir, "version"))
}

func setEnv(t *testing.T) {
	for name, value := range map[string]string{
		"GOPROXY": "file://" + filepath.ToSlash(filepath.Join(shared.dir, "proxy")),
		"GOSUMDB": "off", "GONOSUMDB": "", "GONOPROXY": "", "GOPRIVATE": "",
		"GOMODCACHE": filepath.Join(shared.dir, "modules"), "GOFLAGS": "-modcacherw", "GOWORK": "off", "KOCACHE": "", "KO_GO_PATH": "",
	} {
		t.Setenv(name, value)
	}
}

func serverImage() catalog.Image {
	return catalog.Image{
		Name: "server", Reference: "registry.example.test/server",
		Command: "example.test/commands/cmd/server",
		With:    []string{"example.test/commands/cmd/helper"},
		Links:   map[string]string{"/server": "server", "/usr/bin/helper": "helper"},
		Ldflags: []string{"-X=main.version=v${VERSION}"},
		Tags:    []string{"marked"},
		Files: []catalog.ImageFile{
			{Path: "/etc/pki/ca.crt", CARoots: true, Mode: "0664", UID: 1000},
			{Path: "/etc/pki", Folder: true, Mode: "0775"},
			{Path: "/etc/empty", Mode: "0600"},
		},
	}
}

// newModule makes a version folder as a maintainer does.
func newModule(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	run(t, dir, "go", "mod", "init", "sample")
	run(t, dir, "go", "mod", "edit", "-go=1.26.0", "-replace=example.test/replaced=example.test/replaced@v1.1.0")
	run(t, dir, "go", "get", "-tool", "example.test/commands/cmd/server@v1.2.3", "example.test/commands/cmd/helper@v1.2.3")
}

// publish puts a module version into a proxy's folder.
func publish(t *testing.T, proxy, dir, path, version string) {
	t.Helper()
	at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	require.NoError(t, os.MkdirAll(at, 0o755))
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(at, version+".mod"), mod, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(at, version+".info"), []byte(`{"Version":"`+version+`"}`), 0o644))
	zip, err := os.Create(filepath.Join(at, version+".zip"))
	require.NoError(t, err)
	require.NoError(t, modzip.CreateFromDir(zip, module.Version{Path: path, Version: version}, dir))
	require.NoError(t, zip.Close())
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
}

func freshCache(t *testing.T) { t.Setenv(cache.EnvDir, t.TempDir()) }

// cachedNames are the images that are in the cache, locks left out.
func cachedNames(t *testing.T) []string {
	t.Helper()
	dir, err := cache.Dir(CacheKind)
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") {
			names = append(names, e.Name())
		}
	}
	return names
}

// steps records what a person is told.
type steps struct {
	sync.Mutex
	lines []string
	// then, if set, is called with each line.
	then func(string)
}

func (s *steps) Step(format string, args ...any) {
	line := strings.TrimSpace(fmt.Sprintf(format, args...))
	s.Lock()
	s.lines = append(s.lines, line)
	s.Unlock()
	if s.then != nil {
		s.then(line)
	}
}

func (s *steps) Track(name string, total int64) progress.Tracker {
	return progress.From(context.Background()).Track(name, total)
}

func (s *steps) compiled() int {
	s.Lock()
	defer s.Unlock()
	n := 0
	for _, line := range s.lines {
		if strings.Contains(line, ": compiling ") {
			n++
		}
	}
	return n
}
