package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// told is a context whose steps and transfers are kept.
func told(t *testing.T) (context.Context, *teller) {
	t.Helper()
	r := &teller{}
	return progress.With(t.Context(), r), r
}

type teller struct {
	mu    sync.Mutex
	steps []string
	bytes int64
}

func (r *teller) Step(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, fmt.Sprintf(format, args...))
}

func (r *teller) Track(string, int64) progress.Tracker { return r }

func (r *teller) Add(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes += n
}

func (r *teller) Done() {}

// whole reads all of what a mirror sends, as a cache does.
func whole(index v1.ImageIndex, attached []v1.Image) error {
	err := validate.Index(index)
	for _, image := range attached {
		layers, layersErr := image.Layers()
		err = errors.Join(err, layersErr)
		for _, layer := range layers {
			stream, openErr := layer.Compressed()
			if err = errors.Join(err, openErr); openErr == nil {
				_, readErr := io.Copy(io.Discard, stream)
				err = errors.Join(err, readErr, stream.Close())
			}
		}
	}
	return err
}

func digestsOf(t *testing.T, a Artifact) (attached []string) {
	t.Helper()
	for _, extra := range a.Attached {
		digest, err := extra.Image.Digest()
		require.NoError(t, err)
		attached = append(attached, digest.String())
	}
	return attached
}

func TestMirror(t *testing.T) {
	rec := newRecorder(t, nil)
	a := randomArtifact(t)
	_, err := openRemote(t, rec.host+"/platform", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	m := NewMirror(rec.host+"/platform", Registry{})
	rec.take()
	require.True(t, m.Has(t.Context(), a.Digest))
	require.True(t, m.Has(t.Context(), a.Digest))
	require.False(t, m.Has(t.Context(), "sha256:"+strings.Repeat("0", 64)))
	require.Len(t, rec.take(), 3, "the registry itself, and each digest once")

	ctx, said := told(t)
	require.NoError(t, m.Fetch(ctx, "image", a.Digest, digestsOf(t, a), whole))
	require.Greater(t, said.bytes, int64(2000), "people see what comes")
	require.Empty(t, said.steps)
	require.NoError(t, m.LeftOut())
}

// TestMirrorThatCannotBeTrusted: what it sends is an error, and no more is read of it than
// there can be. The mirror is asked for other images nevertheless.
func TestMirrorThatCannotBeTrusted(t *testing.T) {
	a := randomArtifact(t)
	var fault interceptor
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool { return fault != nil && fault(w, r) })
	_, err := openRemote(t, rec.host+"/platform", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	kind := func(of string, do interceptor) interceptor {
		return func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/"+of+"/") && do(w, r)
		}
	}
	changed := func(change func([]byte) []byte) interceptor {
		return func(w http.ResponseWriter, r *http.Request) bool {
			original := httptest.NewRecorder()
			rec.backend.ServeHTTP(original, r)
			content := change(original.Body.Bytes())
			for name, values := range original.Header() {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = w.Write(content)
			return true
		}
	}
	endless := func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		for junk := make([]byte, 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write(junk); err != nil {
				break
			}
		}
		return true
	}
	flip := func(c []byte) []byte { c[len(c)/2] ^= 1; return c }
	half := func(c []byte) []byte { return c[:len(c)/2] }
	for name, test := range map[string]struct {
		fault interceptor
		says  string
	}{
		"damaged blob":     {kind("blobs", changed(flip)), "verifying sha256 checksum"},
		"short blob":       {kind("blobs", changed(half)), "does not match expected size"},
		"endless blob":     {kind("blobs", endless), "verifying"},
		"damaged manifest": {kind("manifests", changed(flip)), "does not match"},
		"endless manifest": {kind("manifests", endless), "limit"},
		"a page":           {kind("manifests", changed(func([]byte) []byte { return []byte("<html>") })), "does not match"},
		"blob gone":        {kind("blobs", status(http.StatusNotFound)), "it does not have the image, or not all of it"},
		"nothing":          {status(http.StatusNotFound), "it does not have the image"},
	} {
		t.Run(name, func(t *testing.T) {
			fault = test.fault
			ctx, said := told(t)
			m := NewMirror(rec.host+"/platform", Registry{Retries: -1})
			err := m.Fetch(ctx, "image", a.Digest, digestsOf(t, a), whole)
			require.ErrorContains(t, err, test.says)
			require.Empty(t, said.steps, "the caller says it")
			require.Less(t, said.bytes, int64(101<<20))
			fault = nil
			require.NoError(t, m.Fetch(ctx, "image", a.Digest, digestsOf(t, a), whole))
		})
	}
}

func status(code int) interceptor {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return true
	}
}

// TestMirrorIsLeftOut where it fails for all images alike: it is asked once, and
// people hear of it once.
func TestMirrorIsLeftOut(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for name, test := range map[string]struct {
		fault    interceptor
		registry Registry
		says     string
	}{
		"down":      {status(http.StatusServiceUnavailable), Registry{Retries: -1}, "503"},
		"busy":      {status(http.StatusTooManyRequests), Registry{Retries: 2, sleep: (&naps{}).sleep}, "tried 3 times"},
		"login":     {status(http.StatusUnauthorized), Registry{}, "docker login"},
		"forbidden": {status(http.StatusForbidden), Registry{}, "does not allow this"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := newRecorder(t, test.fault)
			requireLeftOut(t, NewMirror(rec.host+"/platform", test.registry), digest, test.says)
			before := len(rec.take())
			require.NotZero(t, before)
		})
	}
	requireLeftOut(t, NewMirror("127.0.0.1:1/platform", Registry{Retries: -1}), digest, "connection refused")
	requireLeftOut(t, NewMirror("mirror.invalid/platform", Registry{Retries: -1}), digest, "mirror.invalid")
}

// TestMirrorThatIsTooSlow: one that goes on sending a byte now and then never stalls.
func TestMirrorThatIsTooSlow(t *testing.T) {
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		for tick := time.NewTicker(10 * time.Millisecond); r.Context().Err() == nil; <-tick.C {
			_, _ = w.Write([]byte{1})
			w.(http.Flusher).Flush()
		}
		return true
	})
	a := randomArtifact(t)
	_, err := openRemote(t, rec.host+"/platform", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	m := NewMirror(rec.host+"/platform", Registry{StallTimeout: 200 * time.Millisecond})
	ctx, said := told(t)
	require.ErrorIs(t, m.Fetch(ctx, "image", a.Digest, nil, firstLayer), ErrLeftOut)
	require.ErrorIs(t, m.Fetch(ctx, "image", a.Digest, nil, firstLayer), ErrLeftOut)
	require.Len(t, said.steps, 1)
	require.Contains(t, said.steps[0], rec.host+" is too slow: it sent ")
}

// firstLayer reads one layer; [validate.Index] would not wrap the error.
func firstLayer(index v1.ImageIndex, _ []v1.Image) error {
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	stream, err := layers[0].Compressed()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stream)
	return errors.Join(err, stream.Close())
}

// TestSlowReaderIsNoSlowMirror: whoever keeps what comes may be busy with other things.
func TestSlowReaderIsNoSlowMirror(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10)) }))
	defer server.Close()
	ctx, tracker := told(t)
	req, err := http.NewRequestWithContext(metering(ctx, tracker), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	resp, err := metered{next: http.DefaultTransport, window: 100 * time.Millisecond}.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	for range 10 {
		time.Sleep(20 * time.Millisecond)
		_, err := io.ReadFull(resp.Body, make([]byte, 1))
		require.NoError(t, err)
	}
}

func requireLeftOut(t *testing.T, m *Mirror, digest, says string) {
	t.Helper()
	ctx, said := told(t)
	require.False(t, m.Has(ctx, digest))
	require.ErrorIs(t, m.Fetch(ctx, "image", digest, nil, whole), ErrLeftOut)
	require.ErrorIs(t, m.Fetch(ctx, "image", digest, nil, whole), ErrLeftOut)
	var warnings []string
	for _, step := range said.steps {
		if strings.HasPrefix(step, "warning: ") {
			warnings = append(warnings, step)
		}
	}
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "the mirror "+m.Name()+" is left out: ")
	require.Contains(t, warnings[0], says)
	require.Error(t, m.LeftOut())
}

// TestMirrorGetsNoForeignCredentials: those of flags are for another registry, and those
// of the environment that name no host for any.
func TestMirrorGetsNoForeignCredentials(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("IMGPKG_USERNAME", "me")
	t.Setenv("IMGPKG_PASSWORD", "secret")
	seen := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
		w.Header().Set("WWW-Authenticate", `Basic realm="mirror"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	m := NewMirror(strings.TrimPrefix(server.URL, "http://")+"/platform", Registry{Username: "me", Password: "secret"})
	require.False(t, m.Has(t.Context(), "sha256:"+strings.Repeat("0", 64)))
	close(seen)
	asked := 0
	for authorization := range seen {
		asked++
		require.Empty(t, authorization)
	}
	require.NotZero(t, asked)
}

func TestMirrorOverPlainHTTP(t *testing.T) {
	rec := newRecorder(t, nil)
	far := Registry{Retries: -1, dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, rec.host)
	}}
	requireLeftOut(t, NewMirror("mirror.local:5000/platform", far), "sha256:"+strings.Repeat("0", 64), "HTTP response to HTTPS client")
	require.Empty(t, rec.take())
}

// TestRetriesAreVisible wherever they happen: which attempt, of what, and why.
func TestRetriesAreVisible(t *testing.T) {
	ctx, said := told(t)
	busy := 2
	var mu sync.Mutex
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if busy == 0 || r.URL.Path == "/v2/" {
			return false
		}
		busy--
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	_, err := openRemote(t, rec.host+"/repo", Registry{Retries: 3, sleep: (&naps{}).sleep}).Resolve(ctx, "1")
	require.ErrorContains(t, err, "resolving 1 in")
	require.Equal(t, []string{
		rec.host + " answers 503 Service Unavailable, attempt 2 of 4: GET /v2/repo/manifests/1",
		rec.host + " answers 503 Service Unavailable, attempt 3 of 4: GET /v2/repo/manifests/1",
	}, said.steps)

	ctx, said = told(t)
	_, err = openRemote(t, "127.0.0.1:1/repo", Registry{Retries: 1, sleep: (&naps{}).sleep}).Resolve(ctx, "1")
	require.Error(t, err)
	require.NotEmpty(t, said.steps)
	require.Contains(t, said.steps[0], "127.0.0.1:1 does not answer, attempt 2 of 2: GET /v2/: dial tcp 127.0.0.1:1")
}

// TestRetriesShowNoSecrets: signed links and upload sessions have them in the query.
func TestRetriesShowNoSecrets(t *testing.T) {
	ctx, said := told(t)
	server := httptest.NewServer(status(http.StatusServiceUnavailable).handler())
	defer server.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v2/blob?signature=hunter2", http.NoBody)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: newRetrier(http.DefaultTransport, Registry{Retries: 1, sleep: (&naps{}).sleep})}).Do(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	require.Len(t, said.steps, 1)
	require.NotContains(t, said.steps[0], "hunter2")
}

func (i interceptor) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i(w, r) })
}
