package oci

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

const canonical = "registry.strake.internal/strake/platform"

// platform is a repository bundle that names a package bundle that names an
// image, all of one registry repository, as the project pushes them.
type platform struct {
	image, pkg, repository Artifact
}

func newPlatform(t *testing.T) platform {
	t.Helper()
	p := platform{image: randomArtifact(t)}
	p.pkg = bundleArtifact(t, "keda-2.21.0", LockEntry{Image: canonical + "@" + p.image.Digest, ID: "ghcr.io/kedacore/keda:2.21.0"})
	p.repository = bundleArtifact(t, "1.0.0", LockEntry{Image: canonical + "@" + p.pkg.Digest})
	return p
}

func bundleArtifact(t *testing.T, tag string, entries ...LockEntry) Artifact {
	t.Helper()
	image, err := BundleImage(bundleFiles(t, entries...))
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	return Artifact{Name: tag, Digest: digest.String(), Tags: []string{tag}, Image: image}
}

func (p platform) push(t *testing.T, repository string) {
	t.Helper()
	_, err := openRemote(t, repository, Registry{}).Push(t.Context(), []Artifact{p.image, p.pkg, p.repository}, PushOptions{})
	require.NoError(t, err)
}

// requireAt pulls with imgpkg and looks whether all references name the
// repository that was pulled from, with the digests unchanged.
func (p platform) requireAt(t *testing.T, reference, repository string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pulled")
	require.NoError(t, Pull(t.Context(), reference, dir, Registry{}, PullOptions{Recursive: true}))
	require.Equal(t, []LockEntry{{Image: repository + "@" + p.pkg.Digest}}, lockIn(t, dir))
	nested := filepath.Join(dir, ".imgpkg", "bundles", strings.Replace(p.pkg.Digest, ":", "-", 1))
	require.Equal(t, []LockEntry{{Image: repository + "@" + p.image.Digest, ID: "ghcr.io/kedacore/keda:2.21.0"}}, lockIn(t, nested))

	m := openRemote(t, repository, Registry{})
	for _, a := range []Artifact{p.image, p.pkg, p.repository} {
		got, err := m.Resolve(t.Context(), a.Digest)
		require.NoError(t, err)
		require.Equal(t, a.Digest, got.Digest.String())
	}
	index, err := remote.Index(m.repository.Digest(p.image.Digest))
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	for _, d := range manifest.Manifests {
		_, err := remote.Image(m.repository.Digest(d.Digest.String()))
		require.NoError(t, err)
	}
}

func lockIn(t *testing.T, dir string) []LockEntry {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, ".imgpkg", "images.yml"))
	require.NoError(t, err)
	entries, err := ParseImagesLock(content)
	require.NoError(t, err)
	return entries
}

func TestImgpkgPullsAndCopiesWhatIsPushed(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	first := serve(t, ServeOptions{}) + "/strake/platform"
	p.push(t, first)
	p.requireAt(t, first+":1.0.0", first)

	second := serve(t, ServeOptions{}) + "/air/gap"
	require.NoError(t, Copy(t.Context(), Place{Bundle: first + ":1.0.0"}, Place{Repository: second}, Registry{}))
	p.requireAt(t, second+":1.0.0", second)

	tar := filepath.Join(t.TempDir(), "platform.tar")
	require.NoError(t, Copy(t.Context(), Place{Bundle: second + ":1.0.0"}, Place{Tar: tar}, Registry{}))
	third := serve(t, ServeOptions{}) + "/from/tar"
	require.NoError(t, Copy(t.Context(), Place{Tar: tar}, Place{Repository: third}, Registry{}))
	p.requireAt(t, third+"@"+p.repository.Digest, third)
}

func TestPullKeepsReferencesOfWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	place := serve(t, ServeOptions{}) + "/strake/platform"
	_, err := openRemote(t, place, Registry{}).Push(t.Context(), []Artifact{p.pkg}, PushOptions{})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "pulled")
	require.NoError(t, Pull(t.Context(), place+":keda-2.21.0", dir, Registry{}, PullOptions{}))
	require.Equal(t, canonical+"@"+p.image.Digest, lockIn(t, dir)[0].Image)
}

func TestPullLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	image := Artifact{Name: "image", Image: randomImage(t), Tags: []string{"image"}}
	_, err := openRemote(t, host+"/repo", Registry{}).Push(t.Context(), []Artifact{image}, PushOptions{})
	require.NoError(t, err)
	full := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "precious"), nil, 0o600))
	tests := map[string]struct{ reference, dir, want string }{
		"no bundle":   {host + "/repo:image", filepath.Join(t.TempDir(), "a", "..", "x"), "pulling the bundle from " + host + "/repo"},
		"missing":     {host + "/repo:other", filepath.Join(t.TempDir(), "x"), "pulling the bundle from"},
		"full folder": {host + "/repo:image", full, "it is not empty; name a new folder"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			before, err := os.ReadDir(filepath.Dir(test.dir))
			require.NoError(t, err)
			require.ErrorContains(t, Pull(t.Context(), test.reference, test.dir, Registry{}, PullOptions{}), test.want)
			after, err := os.ReadDir(filepath.Dir(test.dir))
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
	require.FileExists(t, filepath.Join(full, "precious"))
}

func TestCopyWantsTwoPlaces(t *testing.T) {
	for _, test := range []struct{ from, to Place }{
		{},
		{from: Place{Bundle: "a/b:c"}},
		{from: Place{Tar: "x.tar"}, to: Place{Tar: "y.tar"}},
		{from: Place{Bundle: "a/b:c", Tar: "x.tar"}, to: Place{Repository: "a/b"}},
		{from: Place{Bundle: "a/b:c"}, to: Place{Repository: "a/b", Tar: "y.tar"}},
	} {
		require.ErrorContains(t, Copy(t.Context(), test.from, test.to, Registry{}), "expected a bundle", test)
	}
}

func TestCopyToTarLeavesNoPart(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	var gone atomic.Bool
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		if gone.Load() && strings.Contains(r.URL.Path, "/blobs/") {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	})
	p.push(t, rec.host+"/repo")
	gone.Store(true)
	dir := t.TempDir()
	err := Copy(t.Context(), Place{Bundle: rec.host + "/repo:1.0.0"}, Place{Tar: filepath.Join(dir, "x.tar")}, awake())
	require.ErrorContains(t, err, "copying to "+filepath.Join(dir, "x.tar")+" from "+rec.host+"/repo")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestPullEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	rec := newRecorder(t, func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return false
	})
	err := Pull(ctx, rec.host+"/repo:tag", filepath.Join(t.TempDir(), "x"), Registry{}, PullOptions{})
	require.ErrorIs(t, err, context.Canceled)
}
