package oci

import (
	"context"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

func TestResolveAnIndex(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	a := randomArtifact(t, "2.21.0")
	_, err := openRemote(t, host+"/kedacore/keda", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)

	for _, reference := range []string{host + "/kedacore/keda:2.21.0", host + "/kedacore/keda@" + a.Digest} {
		got, err := Resolve(t.Context(), reference, Registry{}, []string{"linux/arm64", "linux/amd64"})
		require.NoError(t, err)
		require.Equal(t, a.Digest, got.Digest)
		manifest, err := a.Index.IndexManifest()
		require.NoError(t, err)
		require.Equal(t, []ResolvedPlatform{
			{"linux/arm64", manifest.Manifests[1].Digest.String()},
			{"linux/amd64", manifest.Manifests[0].Digest.String()},
		}, got.Platforms)
	}
	requireRelocates(t, host+"/kedacore/keda", host+"/kedacore/keda:2.21.0")
}

func TestResolveASingleImage(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	image := imageFor(t, &v1.Platform{OS: "linux", Architecture: "amd64"})
	_, err := openRemote(t, host+"/some/image", Registry{}).Push(t.Context(), []Artifact{{Name: "x", Image: image, Tags: []string{"1"}}}, PushOptions{})
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)

	got, err := Resolve(t.Context(), host+"/some/image:1", Registry{}, []string{"linux/amd64"})
	require.NoError(t, err)
	require.Equal(t, []ResolvedPlatform{{"linux/amd64", digest.String()}}, got.Platforms)
	require.NotEqual(t, digest.String(), got.Digest, "it is an index")
	requireRelocates(t, host+"/some/image", host+"/some/image:1")
}

// requireRelocates pushes what Upstream answers to another registry, after
// the context of reading has ended.
func requireRelocates(t *testing.T, repository, reference string) {
	t.Helper()
	want, err := Resolve(t.Context(), reference, Registry{}, []string{"linux/amd64"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	a, err := Upstream(ctx, repository, want, Registry{})
	require.NoError(t, err)
	cancel()
	target := serve(t, ServeOptions{}) + "/strake/platform"
	_, err = openRemote(t, target, Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	got, err := Resolve(t.Context(), target+"@"+want.Digest, Registry{}, []string{"linux/amd64"})
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, validate.Index(a.Index))
}

func TestResolveErrors(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	a := randomArtifact(t, "1")
	_, err := openRemote(t, host+"/repo", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	tests := map[string]struct{ reference, platform, want string }{
		"no reference":        {"UPPER", "linux/amd64", "reading the registry reference \"UPPER\""},
		"unknown tag":         {host + "/repo:2", "linux/amd64", "resolving 2 in " + host + "/repo"},
		"unknown repository":  {host + "/other:1", "linux/amd64", "it does not exist there, or only for others"},
		"platform not there":  {host + "/repo:1", "windows/amd64", "windows/amd64 was not published, only linux/amd64, linux/arm64"},
		"nonsense a platform": {host + "/repo:1", "a/b/c/d", "OS/ARCH is wanted"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := Resolve(t.Context(), test.reference, awake(), []string{test.platform})
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestUpstreamHoldsToTheLock(t *testing.T) {
	t.Parallel()
	host := serve(t, ServeOptions{})
	a := randomArtifact(t)
	_, err := openRemote(t, host+"/repo", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
	require.NoError(t, err)
	_, err = Upstream(t.Context(), host+"/repo", Resolved{Digest: someDigest}, awake())
	require.ErrorContains(t, err, "reading "+someDigest+" of "+host+"/repo")

	manifest, err := a.Index.IndexManifest()
	require.NoError(t, err)
	platform := []ResolvedPlatform{{"linux/amd64", manifest.Manifests[0].Digest.String()}}
	_, err = Upstream(t.Context(), host+"/repo", Resolved{Digest: someDigest, Platforms: platform}, awake())
	require.ErrorContains(t, err, "not "+someDigest+" as locked; lock it again")
}
