package oci

import (
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// onDisk is a recorder whose blobs are files of a folder.
func onDisk(t *testing.T, intercept interceptor) (*recorder, string) {
	t.Helper()
	rec, dir := newRecorder(t, intercept), t.TempDir()
	rec.backend = registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(dir)), registry.Logger(log.New(io.Discard, "", 0)))
	return rec, dir
}

func firstBlob(t *testing.T, a Artifact) *blob {
	t.Helper()
	work, err := planOf([]Artifact{a})
	require.NoError(t, err)
	return work.blobs[0]
}

func blobFile(dir string, h v1.Hash) string { return filepath.Join(dir, h.Algorithm, h.Hex) }

// keptFile is where the embedded registry keeps a blob or a manifest.
func keptFile(dir string, h v1.Hash) string {
	return filepath.Join(dir, "docker/registry/v2/blobs", h.Algorithm, h.Hex[:2], h.Hex, "data")
}

func TestPushReplacesBlobsOfAnotherSize(t *testing.T) {
	rec, dir := onDisk(t, nil)
	m := openRemote(t, rec.host+"/repo", awake())
	a := randomArtifact(t, "tag")
	_, err := m.Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	damaged := firstBlob(t, a)
	for _, content := range []string{"", "short"} {
		require.NoError(t, os.WriteFile(blobFile(dir, damaged.digest), []byte(content), 0o644))
		report, err := m.Push(t.Context(), []Artifact{a}, PushOptions{})
		require.NoError(t, err)
		require.Equal(t, Tally{Blobs: 1, Bytes: damaged.size}, report.Uploaded)
	}
	verified, err := m.Verify(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	require.Empty(t, verified.Damaged)
	require.Equal(t, Tally{Blobs: 12, Bytes: verified.Checked.Bytes, Manifests: 5}, verified.Checked)
}

func TestPushSaysWhereARegistryKeepsWhatIsDamaged(t *testing.T) {
	a := randomArtifact(t, "tag")
	damaged := firstBlob(t, a)
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodHead || !strings.HasSuffix(r.URL.Path, "/blobs/"+damaged.digest.String()) {
			return false
		}
		w.Header().Set("Content-Length", "7")
		w.WriteHeader(http.StatusOK)
		return true
	})
	_, err := openRemote(t, rec.host+"/repo", awake()).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.ErrorContains(t, err, damaged.digest.String()+" is damaged in the registry, which has 7 bytes")
	require.ErrorContains(t, err, "delete it there")
	require.NotContains(t, rec.tags(t), "tag")
}

func TestVerifyRepairs(t *testing.T) {
	rec, dir := onDisk(t, nil)
	m := openRemote(t, rec.host+"/repo", awake())
	a := randomArtifact(t, "tag")
	_, err := m.Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)

	damaged := firstBlob(t, a)
	file := blobFile(dir, damaged.digest)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	content[0] ^= 1 // the same size
	require.NoError(t, os.WriteFile(file, content, 0o644))
	require.NoError(t, remote.Delete(m.repository.Tag("tag")))
	extra, err := a.Attached[0].Image.Digest()
	require.NoError(t, err)
	require.NoError(t, remote.Delete(m.repository.Digest(extra.String())))
	subject, err := a.Attached[1].Image.Manifest()
	require.NoError(t, err)
	require.NoError(t, remote.Delete(m.repository.Tag(strings.Replace(subject.Subject.Digest.String(), ":", "-", 1))))
	unlisted, err := a.Attached[1].Image.Digest()
	require.NoError(t, err)

	report, err := m.Verify(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	var found []string
	for _, d := range report.Damaged {
		require.True(t, d.Repaired, d)
		found = append(found, d.Kind+" "+d.Reference)
	}
	want := []string{
		"blob " + damaged.digest.String(), "manifest " + extra.String(), "attachment " + unlisted.String(), "tag " + "tag",
	}
	require.ElementsMatch(t, want, found)

	report, err = m.Verify(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	require.Empty(t, report.Damaged)
}

// What cannot be repaired is said to be so.
func TestVerifyReportsWhatStaysDamaged(t *testing.T) {
	a := randomArtifact(t, "tag")
	damaged := firstBlob(t, a)
	serving := false
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !serving || r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/blobs/"+damaged.digest.String()) {
			return false
		}
		_, _ = w.Write(make([]byte, damaged.size))
		return true
	})
	m := openRemote(t, rec.host+"/repo", awake())
	_, err := m.Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	serving = true
	report, err := m.Verify(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	require.Len(t, report.Damaged, 1)
	require.False(t, report.Damaged[0].Repaired)
	require.Contains(t, report.Damaged[0].What, "delete it there and run the command again, or push to another repository")
}

func TestVerifyNeverMovesATag(t *testing.T) {
	rec := newRecorder(t, nil)
	m := openRemote(t, rec.host+"/repo", awake())
	ours, theirs := randomArtifact(t), randomArtifact(t, "tag")
	_, err := m.Push(t.Context(), []Artifact{ours, theirs}, PushOptions{})
	require.NoError(t, err)
	ours.Tags = []string{"tag"}
	_, err = m.Verify(t.Context(), []Artifact{ours}, PushOptions{})
	require.ErrorAs(t, err, new(*TagsTakenError))
}

// The embedded registry takes again what it has damaged; distribution by
// itself keeps what lies under a digest.
func TestServedRegistryIsRepaired(t *testing.T) {
	t.Parallel()
	for title, content := range map[string]string{"power loss": "", "truncated": "x"} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a := randomArtifact(t, "tag")
			damaged := firstBlob(t, a)
			index, err := v1.NewHash(a.Digest)
			require.NoError(t, err)
			t.Run("push", func(t *testing.T) {
				_, err := openRemote(t, serve(t, ServeOptions{Dir: dir})+"/repo", awake()).Push(t.Context(), []Artifact{a}, PushOptions{})
				require.NoError(t, err)
			})
			for _, h := range []v1.Hash{damaged.digest, index} {
				require.NoError(t, os.WriteFile(keptFile(dir, h), []byte(content), 0o644))
			}
			m := openRemote(t, serve(t, ServeOptions{Dir: dir})+"/repo", awake())
			_, err = m.Push(t.Context(), []Artifact{a}, PushOptions{})
			require.NoError(t, err)
			report, err := m.Verify(t.Context(), []Artifact{a}, PushOptions{})
			require.NoError(t, err)
			require.False(t, slices.ContainsFunc(report.Damaged, func(d Damage) bool { return !d.Repaired }), report.Damaged)
			report, err = m.Verify(t.Context(), []Artifact{a}, PushOptions{})
			require.NoError(t, err)
			require.Empty(t, report.Damaged)
		})
	}
}
