package oci

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

func TestPushKeepsTags(t *testing.T) {
	rec := newRecorder(t, nil)
	m := openRemote(t, rec.host+"/repo", awake())
	was := randomArtifact(t, "one", "two")
	_, err := m.Push(t.Context(), []Artifact{was}, PushOptions{})
	require.NoError(t, err)
	rec.take()

	other, free := randomArtifact(t, "one", "two"), randomArtifact(t, "three")
	other.Name = "keda 2.21.0"
	report, err := m.Push(t.Context(), []Artifact{free, other}, PushOptions{})
	var taken *TagsTakenError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, rec.host+"/repo", taken.Repository)
	require.Equal(t, []TakenTag{
		{Tag: "one", Name: "keda 2.21.0", There: was.Digest, Wanted: other.Digest},
		{Tag: "two", Name: "keda 2.21.0", There: was.Digest, Wanted: other.Digest},
	}, taken.Tags)
	require.ErrorContains(t, err, "the tag one of "+rec.host+"/repo names "+was.Digest+" and would change to "+other.Digest)
	require.Empty(t, report.Tagged)
	require.Empty(t, writes(rec.take()), "nothing was sent")

	_, err = m.Push(t.Context(), []Artifact{was}, PushOptions{})
	require.NoError(t, err, "the same content again")
}

// A tag that somebody sets while a push is under way is seen before the push
// would move it.
func TestPushAsksForTagsBeforeItWrites(t *testing.T) {
	theirs, ours := randomArtifact(t, "tag"), randomArtifact(t, "tag")
	var once sync.Once
	var rec *recorder
	rec = newRecorder(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			once.Do(func() {
				// Past the interceptor, which is waiting here.
				server := httptest.NewServer(rec.backend)
				defer server.Close()
				tag, err := name.NewTag(strings.TrimPrefix(server.URL, "http://") + "/repo:tag")
				require.NoError(t, err)
				require.NoError(t, remote.WriteIndex(tag, theirs.Index))
			})
		}
		return false
	})
	m := openRemote(t, rec.host+"/repo", awake())
	_, err := m.Push(t.Context(), []Artifact{ours}, PushOptions{})
	require.ErrorAs(t, err, new(*TagsTakenError))
	got, err := m.Resolve(t.Context(), "tag")
	require.NoError(t, err)
	require.Equal(t, theirs.Digest, got.Digest.String())
}

// Of two pushes of the same content, the second may be refused the tag that
// the first has just set.
func TestPushTakesATagThatIsSetInBetween(t *testing.T) {
	var rec *recorder
	rec = newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/manifests/tag") {
			return false
		}
		rec.backend.ServeHTTP(discarded{}, r)
		w.WriteHeader(http.StatusBadRequest)
		return true
	})
	_, err := openRemote(t, rec.host+"/repo", awake()).Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"tag"}, rec.tags(t))
}

// discarded is an answer that nobody gets.
type discarded struct{}

func (discarded) Header() http.Header         { return http.Header{} }
func (discarded) Write(b []byte) (int, error) { return len(b), nil }
func (discarded) WriteHeader(int)             {}
