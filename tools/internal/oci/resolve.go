package oci

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Resolved is what stands behind a reference.
type Resolved struct {
	// Digest is always an image index's: an image that was published without
	// one is wrapped in one, the same each time.
	Digest string
	// Platforms are those that were asked for, in that order.
	Platforms []ResolvedPlatform
}

// ResolvedPlatform is one platform's image.
type ResolvedPlatform struct {
	// Platform is as it was asked for: OS/ARCH, as in linux/amd64.
	Platform string
	Digest   string
}

// Resolve asks the registry what reference (HOST/PATH:TAG or @DIGEST) is. A
// platform (OS/ARCH[/VARIANT]) that was not published is an error that lists
// what was.
func Resolve(ctx context.Context, reference string, r Registry, platforms []string) (Resolved, error) {
	ref, err := name.ParseReference(reference, r.nameOptions()...)
	if err != nil {
		return Resolved{}, badReference(reference, "HOST/PATH:TAG or HOST/PATH@DIGEST", err)
	}
	m, err := open(ctx, ref.Context(), r)
	if err != nil {
		return Resolved{}, err
	}
	index, err := m.index(ctx, ref)
	if err != nil {
		return Resolved{}, m.shower.show(ctx, "resolving "+ref.Identifier()+" in", err)
	}
	return resolved(reference, index, platforms)
}

// Upstream answers with the artifact that [Resolve] saw. Repository is
// HOST/PATH; want is what Resolve answered. The bytes stay in the registry
// until they are read, which may be after ctx has ended. Content with another
// digest is an error.
func Upstream(ctx context.Context, repository string, want Resolved, r Registry) (Artifact, error) {
	repo, err := name.NewRepository(repository, r.nameOptions()...)
	if err != nil {
		return Artifact{}, badReference(repository, "HOST/PATH", err)
	}
	m, err := open(ctx, repo, r)
	if err != nil {
		return Artifact{}, err
	}
	index, err := m.index(ctx, repo.Digest(want.Digest))
	if statusOf(err) == http.StatusNotFound && len(want.Platforms) == 1 {
		// It was published without an index, so only its platform is there.
		index, err = m.index(ctx, repo.Digest(want.Platforms[0].Digest))
	}
	if err != nil {
		return Artifact{}, m.shower.show(ctx, "reading "+want.Digest+" of", err)
	}
	digest, err := index.Digest()
	if err != nil {
		return Artifact{}, fmt.Errorf("hashing the index of %s: %w", repository, err)
	}
	if digest.String() != want.Digest {
		return Artifact{}, fmt.Errorf("%s has %s, not %s as locked; lock it again", repository, digest, want.Digest)
	}
	return Artifact{Name: repository, Digest: want.Digest, Index: index}, nil
}

// index reads an image index, or makes one around a single image. Its lazy
// parts keep the context of this first request, so that one ends with ctx
// only until the answer is here: ctx may be that of a step that is long over
// when they are read.
func (m *Remote) index(ctx context.Context, ref name.Reference) (v1.ImageIndex, error) {
	puller, err := m.puller(ctx)
	if err != nil {
		return nil, err
	}
	lazy, cancel := context.WithCancel(context.WithoutCancel(ctx))
	detach := context.AfterFunc(ctx, cancel)
	got, err := puller.Get(lazy, ref)
	detach()
	if err != nil {
		return nil, err
	}
	switch {
	case got.MediaType.IsIndex():
		return got.ImageIndex()
	case got.MediaType.IsImage():
		return wrap(got)
	}
	return nil, fmt.Errorf("%s is a %s, neither an image nor an index of images", ref.Identifier(), got.MediaType)
}

// wrap makes the index around a single image; nothing but the image goes in.
func wrap(got *remote.Descriptor) (v1.ImageIndex, error) {
	image, err := got.Image()
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	return mutate.AppendManifests(index, mutate.IndexAddendum{
		Add:        image,
		Descriptor: v1.Descriptor{Platform: config.Platform()},
	}), nil
}

func resolved(reference string, index v1.ImageIndex, platforms []string) (Resolved, error) {
	digest, err := index.Digest()
	if err != nil {
		return Resolved{}, fmt.Errorf("hashing the index of %s: %w", reference, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return Resolved{}, fmt.Errorf("reading the index of %s: %w", reference, err)
	}
	result := Resolved{Digest: digest.String()}
	for _, p := range platforms {
		found, err := pick(manifest, p)
		if err != nil {
			return Resolved{}, fmt.Errorf("resolving the image %s: %w", reference, err)
		}
		result.Platforms = append(result.Platforms, ResolvedPlatform{Platform: p, Digest: found.String()})
	}
	return result, nil
}

// pick finds a platform's image. A platform without a variant takes the first
// that fits.
func pick(manifest *v1.IndexManifest, platform string) (v1.Hash, error) {
	want, err := v1.ParsePlatform(platform)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading the platform %q (OS/ARCH is wanted): %w", platform, err)
	}
	var published []string
	for _, d := range manifest.Manifests {
		if d.Platform == nil {
			continue
		}
		if d.Platform.Satisfies(*want) {
			return d.Digest, nil
		}
		published = append(published, d.Platform.String())
	}
	return v1.Hash{}, fmt.Errorf("%s was not published, only %s", platform, strings.Join(published, ", "))
}
