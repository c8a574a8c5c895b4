package oci

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// serve runs the embedded registry for a test and answers with its address.
func serve(t *testing.T, o ServeOptions) string {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Addr = "127.0.0.1:0"
	ready := make(chan string, 1)
	o.Ready = func(addr string) { ready <- addr }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	select {
	case addr := <-ready:
		return addr
	case err := <-done:
		require.NoError(t, err)
	}
	return ""
}

// interceptor answers a request in the registry's place, or says that it did
// not.
type interceptor func(w http.ResponseWriter, r *http.Request) (answered bool)

// recorder is a registry in memory that notes its requests.
type recorder struct {
	host    string
	backend http.Handler

	mu       sync.Mutex
	requests []string
}

func newRecorder(t *testing.T, intercept interceptor) *recorder {
	t.Helper()
	rec := &recorder{backend: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec.mu.Lock()
		rec.requests = append(rec.requests, r.Method+" "+r.URL.Path)
		rec.mu.Unlock()
		if intercept != nil && intercept(w, r) {
			return
		}
		rec.backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	rec.host = strings.TrimPrefix(server.URL, "http://")
	return rec
}

// take answers with the requests so far and forgets them.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	return taken
}

// tags lists the tags of the repository "repo", past the interceptor.
func (r *recorder) tags(t *testing.T) []string {
	t.Helper()
	server := httptest.NewServer(r.backend)
	defer server.Close()
	return tagsIn(t, strings.TrimPrefix(server.URL, "http://")+"/repo")
}

// writes are those requests that change the registry.
func writes(requests []string) []string {
	var found []string
	for _, r := range requests {
		if !strings.HasPrefix(r, "GET ") && !strings.HasPrefix(r, "HEAD ") {
			found = append(found, r)
		}
	}
	return found
}

// naps is a registry setting that does not sleep but notes for how long it
// should.
type naps struct {
	mu     sync.Mutex
	lasted []time.Duration
}

func (n *naps) sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lasted = append(n.lasted, d.Round(time.Second))
	return ctx.Err()
}

func awake() Registry { return Registry{sleep: (&naps{}).sleep} }

func openRemote(t *testing.T, reference string, r Registry) *Remote {
	t.Helper()
	m, err := Open(t.Context(), reference, r)
	require.NoError(t, err)
	return m
}

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := random.Image(512, 2)
	require.NoError(t, err)
	return image
}

// randomArtifact is an index of two platforms with something attached to each.
func randomArtifact(t *testing.T, tags ...string) Artifact {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var attached []Artifact
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		p, err := v1.ParsePlatform(platform)
		require.NoError(t, err)
		image := imageFor(t, p)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: p}})
		attached = append(attached, attachTo(t, image))
	}
	digest, err := index.Digest()
	require.NoError(t, err)
	return Artifact{Name: "test image", Digest: digest.String(), Tags: tags, Index: index, Attached: attached}
}

func imageFor(t *testing.T, p *v1.Platform) v1.Image {
	t.Helper()
	image := randomImage(t)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = p.OS, p.Architecture
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	return image
}

func attachTo(t *testing.T, image v1.Image) Artifact {
	t.Helper()
	subject, err := partial.Descriptor(image)
	require.NoError(t, err)
	extra := mutate.ConfigMediaType(mutate.MediaType(randomImage(t), types.OCIManifestSchema1), "application/spdx+json")
	named, ok := mutate.Subject(extra, *subject).(v1.Image)
	require.True(t, ok)
	return Artifact{Name: "attached", Image: named}
}

// tagsIn lists the tags of a repository without those that registries without
// a referrers API need.
func tagsIn(t *testing.T, repository string) []string {
	t.Helper()
	repo, err := name.NewRepository(repository)
	require.NoError(t, err)
	all, err := remote.List(repo)
	if statusOf(err) == http.StatusNotFound {
		return nil
	}
	require.NoError(t, err)
	var tags []string
	for _, tag := range all {
		if !strings.HasPrefix(tag, "sha256-") {
			tags = append(tags, tag)
		}
	}
	return tags
}
