package image

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// newRegistry is a registry on loopback; its answer is the address.
func newRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// publishImage pushes an image of some platforms, of random content.
func publishImage(t *testing.T, reference string, platforms ...string) v1.ImageIndex {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, p := range platforms {
		img, err := random.Image(1000, 2)
		require.NoError(t, err)
		platform, err := v1.ParsePlatform(p)
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		config.OS, config.Architecture = platform.OS, platform.Architecture
		img, err = mutate.ConfigFile(img, config)
		require.NoError(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: platform}})
	}
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, index))
	return index
}

func upstreamVersion(reference, pattern string) *catalog.Version {
	return &catalog.Version{
		Package: &catalog.Package{Name: "sample", Images: []catalog.Image{{Name: "server", Reference: reference, Published: pattern}}},
		Version: "1.2.3+strake.2", Upstream: "1.2.3",
	}
}

func TestUpstreamImages(t *testing.T) {
	host := newRegistry(t)
	tests := map[string]struct{ reference, pattern, published string }{
		"reference and version": {host + "/project/server", "", host + "/project/server:1.2.3"},
		"a pattern":             {"server", host + "/elsewhere/server:v${VERSION}", host + "/elsewhere/server:v1.2.3"},
		"the module's version":  {"server", host + "/parts/server:v${MODULE_VERSION}", host + "/parts/server:v0.4.0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := publishImage(t, test.published, "linux/amd64", "linux/arm64")
			digest, err := want.Digest()
			require.NoError(t, err)
			v := upstreamVersion(test.reference, test.pattern)
			v.Dir, v.Package.Images[0].Command = t.TempDir(), "example.test/parts/cmd/server"
			require.NoError(t, os.WriteFile(filepath.Join(v.Dir, "go.mod"), []byte("module x\nrequire example.test/parts v0.4.0\n"), 0o644))
			o := Options{Source: catalog.FromUpstream, Platforms: []string{"linux/amd64", "linux/arm64"}, Registry: oci.Registry{Anon: true}}
			v.Images, err = Lock(t.Context(), v, o)
			require.NoError(t, err)
			require.Equal(t, catalog.FromUpstream, v.Images.Source)
			require.Empty(t, v.Images.Toolchain)
			require.Equal(t, digest.String(), v.Images.Images[0].Digest)
			require.Equal(t, test.reference, v.Images.Images[0].Reference)
			require.Equal(t, o.Platforms, platformsOf(v.Images.Images[0]))

			// A tag that moves after it was locked changes nothing.
			publishImage(t, test.published, "linux/amd64")
			artifacts, err := Build(t.Context(), v, o)
			require.NoError(t, err)
			require.Equal(t, "sample 1.2.3+strake.2 server", artifacts[0].Name)
			require.NoError(t, validate.Index(artifacts[0].Index))
			got, err := artifacts[0].Index.Digest()
			require.NoError(t, err)
			require.Equal(t, digest, got)
		})
	}
}

func TestUpstreamImagesThatAreNotThere(t *testing.T) {
	host := newRegistry(t)
	publishImage(t, host+"/project/server:1.2.3", "linux/amd64")
	o := Options{Source: catalog.FromUpstream, Registry: oci.Registry{Anon: true}}

	_, err := Lock(t.Context(), upstreamVersion(host+"/project/absent", ""), o)
	require.ErrorContains(t, err, "locking image server of sample 1.2.3+strake.2 from its upstream")
	require.ErrorContains(t, err, "project/absent")

	o.Platforms = []string{"linux/s390x"}
	_, err = Lock(t.Context(), upstreamVersion(host+"/project/server", ""), o)
	require.ErrorContains(t, err, "linux/s390x")

	v := upstreamVersion(host+"/project/server", "")
	digest := fmt.Sprintf("sha256:%064d", 1)
	v.Images = &catalog.ImagesLock{Source: catalog.FromUpstream, Images: []catalog.LockedImage{{Name: "server", Digest: digest}}}
	_, err = Build(t.Context(), v, Options{Registry: oci.Registry{Anon: true}})
	require.ErrorContains(t, err, "fetching image server of sample 1.2.3+strake.2 from its upstream")
	require.ErrorContains(t, err, digest)
}

// TestBuiltImageIsPushedWhole proves that a registry takes what Build makes,
// and finds the SBOM by its subject.
func TestBuiltImageIsPushedWhole(t *testing.T) {
	v := locked(t)
	artifacts, err := Build(t.Context(), v, Options{})
	require.NoError(t, err)
	repository := newRegistry(t) + "/platform"
	target, err := oci.Open(t.Context(), repository, oci.Registry{Anon: true})
	require.NoError(t, err)
	_, err = target.Push(t.Context(), artifacts, oci.PushOptions{})
	require.NoError(t, err)

	platform := v.Images.Images[0].Platforms[0]
	subject, err := name.NewDigest(repository + "@" + platform.Digest)
	require.NoError(t, err)
	referrers, err := remote.Referrers(subject)
	require.NoError(t, err)
	index, err := referrers.IndexManifest()
	require.NoError(t, err)
	require.Len(t, index.Manifests, 1)
	require.Equal(t, platform.SBOM, index.Manifests[0].Digest.String())
}
