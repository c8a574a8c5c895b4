package image

import (
	"context"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// mirrorServer is a registry that can be told to misbehave.
type mirrorServer struct {
	http.Handler
	// fault answers in the registry's place, or not; nil does not.
	fault atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]
	asked atomic.Int64
	name  string
}

func (s *mirrorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if fault := s.fault.Load(); fault != nil && (*fault)(w, r) {
		return
	}
	s.Handler.ServeHTTP(w, r)
}

func newMirrorServer(t *testing.T) *mirrorServer {
	t.Helper()
	s := &mirrorServer{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.name = strings.TrimPrefix(server.URL, "http://") + "/platform"
	return s
}

func (s *mirrorServer) mirror() *oci.Mirror { return oci.NewMirror(s.name, oci.Registry{Retries: -1}) }

// filledMirror has all images of a version that is locked and not in the cache.
func filledMirror(t *testing.T) (*catalog.Version, *mirrorServer) {
	t.Helper()
	v, s := locked(t), newMirrorServer(t)
	artifacts, err := Build(t.Context(), v, Options{})
	require.NoError(t, err)
	remote, err := oci.Open(t.Context(), s.name, oci.Registry{})
	require.NoError(t, err)
	_, err = remote.Push(t.Context(), artifacts, oci.PushOptions{})
	require.NoError(t, err)
	return v, s
}

func cacheFiles(t *testing.T) map[string]string {
	t.Helper()
	dir, err := cache.Dir(CacheKind)
	require.NoError(t, err)
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".lock") {
			return err
		}
		content, err := os.ReadFile(name)
		files[strings.TrimPrefix(name, dir)] = string(content)
		return err
	}))
	return files
}

// TestMirrorTakesTheCompilersPlace and leaves the same bytes in the cache, SBOMs too.
func TestMirrorTakesTheCompilersPlace(t *testing.T) {
	v, server := filledMirror(t)
	want := cacheFiles(t)
	freshCache(t)
	t.Setenv("PATH", t.TempDir()) // no go command
	mirrors := []*oci.Mirror{server.mirror()}
	uncompiled, err := Uncompiled(t.Context(), v, mirrors)
	require.NoError(t, err)
	require.Empty(t, uncompiled)
	require.NoError(t, Download(t.Context(), v, mirrors), "nothing to download")

	said := &steps{}
	artifacts, err := Build(progress.With(t.Context(), said), v, Options{Mirrors: mirrors})
	require.NoError(t, err)
	require.Contains(t, said.lines, "sample 1.2.3: image server comes from the mirror "+server.name)
	require.Len(t, artifacts[0].Attached, 1)
	got := cacheFiles(t)
	for name, content := range want {
		require.Equal(t, content, got[name], name)
	}
	require.Len(t, got, len(want))

	asked := server.asked.Load()
	_, err = Build(t.Context(), v, Options{Mirrors: mirrors})
	require.NoError(t, err)
	require.Equal(t, asked, server.asked.Load(), "the cache comes first")
}

// TestFaultyMirror is passed over with one message, and never a failure; [oci.Mirror]'s
// own tests have more faults.
func TestFaultyMirror(t *testing.T) {
	v, server := filledMirror(t)
	want := cacheFiles(t)
	blob := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
	}
	sbom := v.Images.Images[0].Platforms[0].SBOM
	child := v.Images.Images[0].Platforms[0].Digest
	tests := map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request) bool
		says  string
	}{
		"down": {answer(http.StatusServiceUnavailable), "warning: the mirror MIRROR is left out: .*503"},
		"without SBOM": {func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, sbom) && answer(http.StatusNotFound)(w, r)
		}, "image server does not come from the mirror MIRROR: it has the image, and not what is attached to it"},
		// go-containerregistry takes the digest of such a manifest from a header.
		"another manifest of schema 1": {func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, child) {
				return false
			}
			w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")
			w.Header().Set("Docker-Content-Digest", child)
			_, _ = io.WriteString(w, `{"schemaVersion":2,"config":{"size":1,"digest":"`+child+`"},"layers":[]}`)
			return true
		}, "image server does not come from the mirror MIRROR: .*the manifest " + child + " has the digest sha256:"},
		"damaged blob": {func(w http.ResponseWriter, r *http.Request) bool {
			return blob(r) && altered(server.Handler, w, r, func(c []byte) []byte { c[len(c)/2] ^= 1; return c })
		}, "image server does not come from the mirror MIRROR: .*verifying sha256 checksum"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			freshCache(t)
			server.fault.Store(&test.fault)
			said := &steps{}
			_, err := Build(progress.With(t.Context(), said), v, Options{Mirrors: []*oci.Mirror{server.mirror()}})
			require.NoError(t, err)
			require.Equal(t, 2, said.compiled(), "one for each command")
			require.Equal(t, want, cacheFiles(t), "nothing of the mirror's is kept")
			warnings := slices.DeleteFunc(slices.Clone(said.lines), func(line string) bool { return !strings.HasPrefix(line, "warning: ") })
			require.Len(t, warnings, 1, said.lines)
			require.Regexp(t, strings.ReplaceAll(test.says, "MIRROR", server.name), warnings[0])
		})
	}
}

// TestMirrorWithOtherMediaTypes: a static server does not know them, and no digest covers
// what it says.
func TestMirrorWithOtherMediaTypes(t *testing.T) {
	v, server := filledMirror(t)
	want := cacheFiles(t)
	freshCache(t)
	t.Setenv("PATH", t.TempDir()) // no go command
	fault := func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/manifests/") && altered(server.Handler, plainText{w}, r, func(c []byte) []byte { return c })
	}
	server.fault.Store(&fault)
	_, err := Build(t.Context(), v, Options{Mirrors: []*oci.Mirror{server.mirror()}})
	require.NoError(t, err)
	require.Equal(t, want, cacheFiles(t))
}

// plainText calls everything a text.
type plainText struct{ http.ResponseWriter }

func (p plainText) WriteHeader(code int) {
	p.Header().Set("Content-Type", "text/plain")
	p.ResponseWriter.WriteHeader(code)
}

func answer(status int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		return true
	}
}

// altered sends the registry's response with a changed body and the right length.
func altered(h http.Handler, w http.ResponseWriter, r *http.Request, change func([]byte) []byte) bool {
	recorded := httptest.NewRecorder()
	h.ServeHTTP(recorded, r)
	content := change(recorded.Body.Bytes())
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(content)
	return true
}

// TestMirrorsAreAskedInOrder: the first one that has the image wins, and one that does
// not answer is named once for all images.
func TestMirrorsAreAskedInOrder(t *testing.T) {
	v, filled := filledMirror(t)
	freshCache(t)
	t.Setenv("PATH", t.TempDir())
	down, never := newMirrorServer(t), newMirrorServer(t)
	fault := answer(http.StatusBadGateway)
	down.fault.Store(&fault)
	mirrors := []*oci.Mirror{down.mirror(), newMirrorServer(t).mirror(), filled.mirror(), never.mirror()}
	said := &steps{}
	ctx := progress.With(t.Context(), said)
	for range 2 {
		_, err := Build(ctx, v, Options{Mirrors: mirrors})
		require.NoError(t, err)
		freshCache(t)
	}
	require.Zero(t, never.asked.Load())
	require.EqualValues(t, 1, down.asked.Load(), "it is left out from then on")
	require.Equal(t, 1, strings.Count(strings.Join(said.lines, "\n"), "is left out: "))
	require.Equal(t, 2, strings.Count(strings.Join(said.lines, "\n"), "comes from the mirror "+filled.name))
}

// TestDamageIsHealedFromAMirror, as the compiler would heal it.
func TestDamageIsHealedFromAMirror(t *testing.T) {
	v, server := filledMirror(t)
	t.Setenv("PATH", t.TempDir())
	o := Options{Mirrors: []*oci.Mirror{server.mirror()}}
	artifacts, err := Build(t.Context(), v, o)
	require.NoError(t, err)
	all, err := platformOf(t, artifacts[0]).Layers()
	require.NoError(t, err)
	digest, err := all[0].Digest()
	require.NoError(t, err)
	dir, err := cache.Dir(CacheKind, strings.TrimPrefix(v.Images.Images[0].Inputs, "sha256:"))
	require.NoError(t, err)
	alter(t, filepath.Join(dir, "blobs", "sha256", digest.Hex))
	requireDigest(t, all[0])
}

func TestMirrorEndsWithItsContext(t *testing.T) {
	v, server := filledMirror(t)
	freshCache(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fault := func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	}
	server.fault.Store(&fault)
	said := &steps{}
	_, err := Build(progress.With(ctx, said), v, Options{Mirrors: []*oci.Mirror{server.mirror()}})
	require.ErrorIs(t, err, ctx.Err())
	require.Zero(t, said.compiled())
	require.Empty(t, cachedNames(t))
}
