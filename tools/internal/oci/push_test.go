package oci

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/progress"
)

func TestPushToServedRegistry(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	m := openRemote(t, host+"/strake/platform", Registry{})
	artifacts := []Artifact{
		randomArtifact(t, "keda-2.21.0", "latest"),
		{Name: "bundle", Image: randomImage(t), Tags: []string{"bundle"}},
	}

	report, err := m.Push(t.Context(), artifacts, PushOptions{})
	require.NoError(t, err)
	// Two platforms and their attachments of three blobs each, and a bundle.
	require.Equal(t, 15, report.Uploaded.Blobs)
	require.Equal(t, 6, report.Uploaded.Manifests)
	require.Positive(t, report.Uploaded.Bytes)
	require.Zero(t, report.Skipped)
	require.Equal(t, []string{"bundle", "keda-2.21.0", "latest"}, report.Tagged)

	got, err := m.Resolve(t.Context(), "keda-2.21.0")
	require.NoError(t, err)
	require.Equal(t, artifacts[0].Digest, got.Digest.String())
	ref, err := name.ParseReference(host + "/strake/platform@" + artifacts[0].Digest)
	require.NoError(t, err)
	index, err := remote.Index(ref)
	require.NoError(t, err)
	require.NoError(t, validate.Index(index))
	requireAttached(t, m, artifacts[0])

	again, err := openRemote(t, host+"/strake/platform", Registry{}).Push(t.Context(), artifacts, PushOptions{})
	require.NoError(t, err)
	require.Zero(t, again.Uploaded)
	require.Equal(t, report.Uploaded, again.Skipped)
	require.Empty(t, again.Tagged)
}

func requireAttached(t *testing.T, m *Remote, a Artifact) {
	t.Helper()
	for _, extra := range a.Attached {
		manifest, err := extra.Image.Manifest()
		require.NoError(t, err)
		digest, err := extra.Image.Digest()
		require.NoError(t, err)
		index, err := remote.Referrers(m.repository.Digest(manifest.Subject.Digest.String()))
		require.NoError(t, err)
		list, err := index.IndexManifest()
		require.NoError(t, err)
		require.Len(t, list.Manifests, 1)
		require.Equal(t, digest, list.Manifests[0].Digest)
	}
}

func TestPushSendsBlobsThenManifestsThenTags(t *testing.T) {
	rec := newRecorder(t, nil)
	a := randomArtifact(t, "one", "two")
	_, err := openRemote(t, rec.host+"/repo", awake()).Push(t.Context(), []Artifact{a}, PushOptions{Jobs: 2})
	require.NoError(t, err)

	kinds := []string{"/blobs/", "/manifests/sha256:", "/manifests/"}
	at := 0
	for _, w := range writes(rec.take()) {
		if strings.Contains(w, "/manifests/sha256-") {
			continue // a list of referrers
		}
		for at < len(kinds) && !strings.Contains(w, kinds[at]) {
			at++
		}
		require.Less(t, at, len(kinds), "%s comes too late", w)
	}
	require.Equal(t, 2, at, "tags come last")
}

func TestPushTwiceWritesNothing(t *testing.T) {
	rec := newRecorder(t, nil)
	artifacts := []Artifact{randomArtifact(t, "one")}
	m := openRemote(t, rec.host+"/repo", awake())
	_, err := m.Push(t.Context(), artifacts, PushOptions{})
	require.NoError(t, err)
	rec.take()
	_, err = m.Push(t.Context(), artifacts, PushOptions{})
	require.NoError(t, err)
	require.Empty(t, writes(rec.take()))
}

func TestPushSendsOnlyWhatIsMissing(t *testing.T) {
	rec := newRecorder(t, nil)
	m := openRemote(t, rec.host+"/repo", awake())
	base := randomImage(t)
	_, err := m.Push(t.Context(), []Artifact{{Name: "base", Image: base}}, PushOptions{})
	require.NoError(t, err)

	extra, err := randomImage(t).Layers()
	require.NoError(t, err)
	image, err := mutate.AppendLayers(base, extra[0])
	require.NoError(t, err)
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image}, mutate.IndexAddendum{Add: base})
	report, err := m.Push(t.Context(), []Artifact{{Name: "more", Index: index}, {Name: "twin", Index: index}}, PushOptions{})
	require.NoError(t, err)
	// The new layer and config; the new image and index.
	require.Equal(t, 2, report.Uploaded.Blobs)
	require.Equal(t, 2, report.Uploaded.Manifests)
	// The base's config and two layers, one manifest.
	require.Equal(t, 3, report.Skipped.Blobs)
	require.Equal(t, 1, report.Skipped.Manifests)
}

func TestPushMovesTagsWhereAllowed(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	m := openRemote(t, host+"/repo", Registry{})
	for range 2 {
		a := randomArtifact(t, "moving")
		report, err := m.Push(t.Context(), []Artifact{a}, PushOptions{MoveTags: true})
		require.NoError(t, err)
		require.Equal(t, []string{"moving"}, report.Tagged)
		got, err := m.Resolve(t.Context(), "moving")
		require.NoError(t, err)
		require.Equal(t, a.Digest, got.Digest.String())
	}
}

// An attachment whose listing was lost with a killed push is listed by the next.
func TestPushListsAttachmentsAgain(t *testing.T) {
	t.Parallel()
	rec := newRecorder(t, nil)
	m := openRemote(t, rec.host+"/repo", awake())
	a := randomArtifact(t)
	var plain []Artifact
	for _, extra := range a.Attached {
		plain = append(plain, Artifact{Name: "unlisted", Image: extra.Image})
	}
	_, err := m.Push(t.Context(), append([]Artifact{{Name: "x", Index: a.Index}}, plain...), PushOptions{})
	require.NoError(t, err)
	for _, extra := range a.Attached {
		manifest, err := extra.Image.Manifest()
		require.NoError(t, err)
		fallback := strings.Replace(manifest.Subject.Digest.String(), ":", "-", 1)
		require.NoError(t, remote.Delete(m.repository.Tag(fallback)))
	}
	_, err = m.Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	requireAttached(t, m, a)
}

func TestPushRefusesBadArtifactsBeforeSending(t *testing.T) {
	image, other := randomImage(t), randomImage(t)
	wrong, err := other.Digest()
	require.NoError(t, err)
	tests := map[string]struct {
		artifacts []Artifact
		want      string
	}{
		"nothing":      {[]Artifact{{Name: "keda"}}, "reading keda: expected exactly one of image and index"},
		"both":         {[]Artifact{{Name: "keda", Image: image, Index: empty.Index}}, "exactly one"},
		"other digest": {[]Artifact{{Name: "keda", Image: image, Digest: wrong.String()}}, "not " + wrong.String() + " as recorded"},
		"bad tag":      {[]Artifact{{Name: "keda", Image: image, Tags: []string{"2.21.0+strake.2"}}}, `keda: reading the tag "2.21.0+strake.2"`},
		"empty tag":    {[]Artifact{{Name: "keda", Image: image, Tags: []string{""}}}, "it is empty"},
		"tag twice": {[]Artifact{{Name: "a", Image: image, Tags: []string{"x"}}, {Name: "b", Image: other, Tags: []string{"x"}}},
			"the tag x is used for"},
	}
	rec := newRecorder(t, nil)
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := openRemote(t, rec.host+"/repo", awake()).Push(t.Context(), test.artifacts, PushOptions{})
			require.ErrorContains(t, err, test.want)
			require.Empty(t, rec.take())
		})
	}
}

func TestPushReportsProgress(t *testing.T) {
	rec := newRecorder(t, nil)
	meter := &meter{}
	m := openRemote(t, rec.host+"/repo", awake())
	report, err := m.Push(progress.With(t.Context(), meter), []Artifact{randomArtifact(t)}, PushOptions{})
	require.NoError(t, err)
	require.Equal(t, report.Uploaded.Bytes, meter.total)
	require.Equal(t, report.Uploaded.Bytes, meter.sent.Load())
	require.True(t, meter.done.Load())
}

// meter is a progress reporter of one transfer.
type meter struct {
	mu    sync.Mutex
	steps []string
	total int64
	sent  atomic.Int64
	done  atomic.Bool
}

func (m *meter) Step(format string, _ ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps = append(m.steps, format)
}
func (m *meter) Track(_ string, total int64) progress.Tracker { m.total = total; return m }
func (m *meter) Add(n int64)                                  { m.sent.Add(n) }
func (m *meter) Done()                                        { m.done.Store(true) }

func TestPushManyAtOnce(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	shared := randomArtifact(t, "shared")
	var pushes sync.WaitGroup
	errs := make(chan error, 4)
	for range 4 {
		pushes.Go(func() {
			m, err := Open(context.Background(), host+"/repo", Registry{})
			if err == nil {
				_, err = m.Push(context.Background(), []Artifact{shared}, PushOptions{})
			}
			errs <- err
		})
	}
	pushes.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Contains(t, tagsIn(t, host+"/repo"), "shared")
}
