package upstream_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

const configHead = "apiVersion: vendir.k14s.io/v1alpha1\nkind: Config\ndirectories:\n- path: upstream\n  contents:\n"

// newVersion makes a package of one version in a checkout and a cache of its
// own. contents are what vendir.yml holds below directories[0].contents.
func newVersion(t *testing.T, contents string) *catalog.Version {
	t.Helper()
	t.Setenv(cache.EnvDir, t.TempDir())
	dir := t.TempDir()
	write(t, filepath.Join(dir, "vendir.yml"), configHead+contents)
	v := &catalog.Version{
		Package: &catalog.Package{Name: "app", Dir: dir},
		Dir:     filepath.Join(dir, "1.2.3"), Version: "1.2.3+strake.2", Upstream: "1.2.3",
	}
	require.NoError(t, os.MkdirAll(v.Dir, 0o755))
	return v
}

func relock(t *testing.T, v *catalog.Version) upstream.Outcome {
	t.Helper()
	outcome, err := upstream.Lock(t.Context(), v)
	require.NoError(t, err)
	return outcome
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.RemoveAll(file)) // it may be read-only
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

// requireFiles checks all files of the sources, and that each has an origin.
func requireFiles(t *testing.T, s *upstream.Sources, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(s.Dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			relative, _ := filepath.Rel(s.Dir, name)
			got[filepath.ToSlash(relative)] = read(t, name)
		}
		return err
	})
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(s.Origins)))
}

// requireNothingKept checks that a failed fetch left no sources behind.
func requireNothingKept(t *testing.T) {
	t.Helper()
	dir, err := cache.Dir("upstream")
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	for _, e := range entries {
		require.Equal(t, ".lock", filepath.Ext(e.Name()), "%s was kept", e.Name())
	}
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// tgz packs files as a compressed tar archive, in the order of their names.
func tgz(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	compressed := gzip.NewWriter(&b)
	_, err := compressed.Write(layerTar(t, files))
	require.NoError(t, err)
	require.NoError(t, compressed.Close())
	return b.Bytes()
}

func layerTar(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}))
		_, err := w.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// server serves what is put into it, by path.
type server struct {
	*httptest.Server
	files map[string][]byte
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{files: map[string][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := s.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s
}

// indent moves text into a block of a YAML list.
func indent(text string) string {
	return "  - " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}
