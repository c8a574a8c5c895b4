package repository_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// TestUpstreamImagesCanBeLocked locks each version that has none but its
// project's own images from a registry of this process, and sees that every one
// of them reaches the cluster by its digest. Where the real registry can be
// asked, "strake images lock" does the same.
func TestUpstreamImagesCanBeLocked(t *testing.T) {
	c := checkout(t)
	versions, err := c.Select(nil)
	require.NoError(t, err)
	for _, v := range versions {
		if len(v.Package.Images) == 0 || slices.ContainsFunc(v.Package.Images, func(img catalog.Image) bool { return img.Command != "" }) {
			continue
		}
		t.Run(v.ID(), func(t *testing.T) {
			locked := lockedFrom(t, v, registry(t))
			b, err := repository.BuildVersion(t.Context(), c, locked, repository.Options{})
			require.NoError(t, err)
			objects, err := bundle.Render(t.Context(), b, nil, bundle.RenderOptions{Repository: "registry.example.com/platform"})
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, manifest.Encode(&text, objects))
			for _, img := range locked.Images.Images {
				require.Contains(t, string(b.Files[".imgpkg/images.yml"]), img.Digest)
				require.Contains(t, text.String(), "registry.example.com/platform@"+img.Digest, img.Name)
			}
		})
	}
}

// lockedFrom is the version as it is locked where a registry at host has its
// images.
func lockedFrom(t *testing.T, v *catalog.Version, host string) *catalog.Version {
	t.Helper()
	p, locked := *v.Package, *v
	p.Images, locked.Package = slices.Clone(p.Images), &p
	for i, img := range p.Images {
		_, path, _ := strings.Cut(img.Published, "/")
		p.Images[i].Published = host + "/" + path
		ref, err := name.ParseReference(strings.ReplaceAll(p.Images[i].Published, "${VERSION}", v.Upstream))
		require.NoError(t, err)
		content, err := random.Image(100, 1)
		require.NoError(t, err)
		require.NoError(t, remote.WriteIndex(ref, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
			Add: content, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
		})))
	}
	var err error
	locked.Images, err = image.Lock(t.Context(), &locked, image.Options{Source: catalog.FromUpstream, Registry: oci.Registry{Anon: true}})
	require.NoError(t, err)
	return &locked
}
