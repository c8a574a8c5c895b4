package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// CacheKind is the folder of the cache that [Lock] and [Build] fill.
const CacheKind = "images"

// workshop is what all images of a version are built with.
type workshop struct {
	version   *catalog.Version
	toolchain toolchain
	base      base
}

func newWorkshop(ctx context.Context, v *catalog.Version) (*workshop, error) {
	t, err := findToolchain(ctx, v.Dir)
	if err != nil {
		return nil, err
	}
	b, err := newBase(t.Root)
	if err != nil {
		return nil, err
	}
	return &workshop{version: v, toolchain: t, base: b}, nil
}

// lockedWorkshop is newWorkshop, refused where it cannot reproduce the lock.
func lockedWorkshop(ctx context.Context, v *catalog.Version) (*workshop, error) {
	t, err := findToolchain(ctx, v.Dir)
	if err != nil {
		return nil, err
	}
	if err := t.pinned(v); err != nil {
		return nil, err
	}
	b, err := newBase(t.Root)
	if err != nil {
		return nil, err
	}
	if b.digest != v.Images.Base {
		return nil, fmt.Errorf("%s of %s pins the base layer %s, but this strake and toolchain make %s: use the strake that locked it, or lock the images again with %q",
			catalog.ImagesLockFile, v.ID(), v.Images.Base, b.digest, v.Relock())
	}
	return &workshop{version: v, toolchain: t, base: b}, nil
}

// lock makes one image and describes it.
func (w *workshop) lock(ctx context.Context, img catalog.Image, platforms []string) (catalog.LockedImage, error) {
	key, err := hashInputs(w.version, img, platforms, w.toolchain.Version, w.base.digest)
	if err != nil {
		return catalog.LockedImage{}, err
	}
	s, err := cached(ctx, key, false, accept, func(dir string) error {
		defer progress.Begin(ctx, job(w.version, catalog.LockedImage{Name: img.Name, Inputs: key}))()
		return w.produce(ctx, dir, img, platforms)
	})
	if err != nil {
		return catalog.LockedImage{}, fmt.Errorf("locking image %s of %s: %w", img.Name, w.version.ID(), err)
	}
	all, err := s.platforms()
	return catalog.LockedImage{
		Name: img.Name, Reference: img.Reference, Digest: s.index.Digest.String(), Inputs: key, Platforms: all,
	}, err
}

// build reproduces one locked image.
func build(ctx context.Context, v *catalog.Version, img catalog.Image, locked catalog.LockedImage, o Options) (oci.Artifact, error) {
	platforms := platformsOf(locked)
	key, err := Inputs(v, img, platforms)
	if err != nil {
		return oci.Artifact{}, err
	}
	if key != locked.Inputs {
		return oci.Artifact{}, fmt.Errorf("image %s of %s is locked for inputs %s, but they are now %s: package.yml, version.yml, go.mod or go.sum changed since; lock it again with %q",
			img.Name, v.ID(), locked.Inputs, key, v.Relock())
	}
	same := func(s stored) error { return compare(s, locked) }
	s, err := cached(ctx, key, o.Rehash, same, func(dir string) error {
		if done, err := fromMirror(ctx, dir, v, locked, o.Mirrors); done || err != nil {
			return err
		}
		defer progress.Begin(ctx, job(v, locked))()
		// Only here: what is cached needs no toolchain.
		w, err := lockedWorkshop(ctx, v)
		if err != nil {
			return err
		}
		return w.produce(ctx, dir, img, platforms)
	})
	progress.Drop(ctx, job(v, locked).ID)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("building image %s of %s: %w", img.Name, v.ID(), err)
	}
	return s.artifact(v, locked)
}

// produce fills dir with the image's layout.
func (w *workshop) produce(ctx context.Context, dir string, img catalog.Image, platforms []string) (err error) {
	tmp := filepath.Join(dir, "tmp")
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	var images []platformImage
	var sboms []v1.Image
	for _, name := range platforms {
		platform, err := v1.ParsePlatform(name)
		if err != nil {
			return fmt.Errorf("platform %q is not OS/ARCH, as in %s: %w", name, DefaultPlatform, err)
		}
		p, err := compiler{version: w.version, image: img, platform: *platform, tmp: tmp}.assemble(ctx, w.base)
		if err != nil {
			return err
		}
		sbom, err := w.sbom(img, p, tmp)
		if err != nil {
			return err
		}
		images, sboms = append(images, p), append(sboms, sbom)
	}
	if err := store(dir, newIndex(images, labels(w.version, img)), sboms); err != nil {
		return fmt.Errorf("writing an image to %s: %w", dir, err)
	}
	return nil
}

func (w *workshop) sbom(img catalog.Image, p platformImage, tmp string) (v1.Image, error) {
	infos, err := buildInfos(p.binaries, tmp)
	if err != nil {
		return nil, err
	}
	subject, err := partial.Descriptor(p.image)
	if err != nil {
		return nil, fmt.Errorf("hashing image %s: %w", img.Name, err)
	}
	content, err := w.describe(img, subject.Digest, infos)
	if err != nil {
		return nil, err
	}
	return attach(content, v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size}, labels(w.version, img))
}

// accept takes any whole image.
func accept(stored) error { return nil }

// cached returns the image under a key of the cache, made where it is
// missing, damaged, or not what same wants. What same refuses just after it was
// made is an error, and is not kept.
//
// The digests within the layout prove the content, and the lock proves the digests, so
// images of releases that recorded no checksums stay valid.
func cached(ctx context.Context, key string, rehash bool, same func(stored) error, produce func(dir string) error) (stored, error) {
	check := func(dir string, rehash bool) (stored, error) {
		s, err := open(dir, rehash)
		if err == nil {
			err = same(s)
		}
		return s, err
	}
	return cache.Use(ctx, CacheKind, strings.TrimPrefix(key, "sha256:"), func(dir string) error {
		if err := produce(dir); err != nil {
			return err
		}
		// A cancelled run may have left something half done without a word.
		if err := context.Cause(ctx); err != nil {
			return err
		}
		_, err := check(dir, false)
		return err
	}, func(e *cache.Entry) (stored, error) {
		s, err := check(e.Unchecked(), rehash)
		return s, cache.Damaged(err)
	})
}
