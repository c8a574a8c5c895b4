package oci

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carvel.dev/imgpkg/pkg/imgpkg/bundle"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/untrusted/hostile"
)

const emptyLock = "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n"

// layered is an image of layers, given as archives, that calls itself a bundle.
func layered(t *testing.T, layers ...[]byte) v1.Image {
	t.Helper()
	image := mutate.MediaType(empty.Image, types.DockerManifestSchema2)
	for _, layer := range layers {
		var err error
		image, err = mutate.AppendLayers(image, static.NewLayer(layer, types.DockerLayer))
		require.NoError(t, err)
	}
	image, err := mutate.Config(image, v1.Config{Labels: map[string]string{bundle.BundleConfigLabel: "true"}})
	require.NoError(t, err)
	return image
}

// pushed puts an image into a registry and gives its digest.
func pushed(t *testing.T, reference string, image v1.Image) string {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image))
	digest, err := image.Digest()
	require.NoError(t, err)
	return digest.String()
}

// requireOnly checks that a folder has exactly these entries.
func requireOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	require.Equal(t, names, found)
}

func TestPullRefusesHostileLayers(t *testing.T) {
	t.Parallel()
	host := newRecorder(t, nil).host
	good := hostile.Gzip(hostile.Pack(".imgpkg/images.yml", emptyLock))
	for _, a := range hostile.Archives() {
		t.Run(a.Name, func(t *testing.T) {
			pushed(t, host+"/repo:hostile", layered(t, good, hostile.Gzip(a.Tar)))
			for _, o := range []PullOptions{{}, {Recursive: true}, {Image: true}} {
				outer := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(outer, "precious"), nil, 0o600))
				err := Pull(t.Context(), host+"/repo:hostile", filepath.Join(outer, "pulled"), Registry{}, o)
				require.ErrorContains(t, err, a.Want)
				require.ErrorContains(t, err, "from "+host+"/repo")
				requireOnly(t, outer, "precious")
			}
		})
	}
}

// TestPullRefusesHostileNestedBundles has what is hostile in a bundle that the
// pulled one names, and in what "imgpkg copy" notes beside it.
func TestPullRefusesHostileNestedBundles(t *testing.T) {
	t.Parallel()
	host := newRecorder(t, nil).host
	bad := hostile.Gzip(hostile.Pack(".imgpkg/images.yml", emptyLock, "../../../x", ""))
	nested := pushed(t, host+"/repo:nested", layered(t, bad))
	lock := emptyLock + "images:\n- image: " + canonical + "@" + nested + "\n"
	outer := pushed(t, host+"/repo:outer", layered(t, hostile.Gzip(hostile.Pack(".imgpkg/images.yml", lock))))
	err := Pull(t.Context(), host+"/repo:outer", filepath.Join(t.TempDir(), "x"), Registry{}, PullOptions{Recursive: true})
	require.ErrorContains(t, err, `entry "../../../x"`)

	pushed(t, host+"/repo:"+strings.ReplaceAll(outer, ":", "-")+".image-locations.imgpkg", layered(t, hostile.Bomb(64<<20)))
	err = Pull(t.Context(), host+"/repo:outer", filepath.Join(t.TempDir(), "x"), Registry{}, PullOptions{})
	require.ErrorContains(t, err, "unpacks to more than 16 MiB")
}

func TestPullRefusesWhatIsNoBundle(t *testing.T) {
	t.Parallel()
	host := newRecorder(t, nil).host
	index := randomArtifact(t, "index")
	_, err := openRemote(t, host+"/repo", Registry{}).Push(t.Context(), []Artifact{index}, PushOptions{})
	require.NoError(t, err)
	pushed(t, host+"/repo:unlocked", layered(t, hostile.Pack("a", "a")))
	pushed(t, host+"/repo:undigested", layered(t, hostile.Pack(".imgpkg/images.yml", emptyLock+"images:\n- image: a/b:c\n")))
	pushed(t, host+"/repo:bomb", layered(t, hostile.Bomb(64<<20)))
	for tag, test := range map[string]struct {
		o    PullOptions
		want string
	}{
		"index":      {PullOptions{Image: true}, "refer to the image of one platform"},
		"unlocked":   {PullOptions{}, "no .imgpkg/images.yml"},
		"undigested": {PullOptions{}, "a/b:c"},
		"bomb":       {PullOptions{Image: true}, "unpacks to more than"},
	} {
		t.Run(tag, func(t *testing.T) {
			outer := t.TempDir()
			require.ErrorContains(t, Pull(t.Context(), host+"/repo:"+tag, filepath.Join(outer, "x"), Registry{}, test.o), test.want)
			requireOnly(t, outer, []string(nil)...)
		})
	}
}

func TestPullImage(t *testing.T) {
	t.Parallel()
	host := newRecorder(t, nil).host
	pushed(t, host+"/repo:image", layered(t, hostile.Pack("a", "1", "b", "1"), hostile.Gzip(hostile.Pack(".wh.a", "", "b", "2"))))
	dir := filepath.Join(t.TempDir(), "pulled")
	require.NoError(t, Pull(t.Context(), host+"/repo:image", dir, Registry{}, PullOptions{Image: true}))
	requireOnly(t, dir, "b")
	content, err := os.ReadFile(filepath.Join(dir, "b"))
	require.NoError(t, err)
	require.Equal(t, "2", string(content))
}
