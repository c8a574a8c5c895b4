// Package image makes a package version's images and proves that they are the
// ones that were locked: it compiles the commands of the version's Go module
// with ko onto a base layer of its own, or resolves what the upstream project
// published.
//
// The same inputs give the same bytes on every machine. So [Lock] writes down
// digests, and [Build] makes the images again and refuses any other digest.
// What was built is kept in the cache under the hash of its inputs
// ([Inputs]), as an OCI layout; a cached image costs neither a process nor the
// network.
//
// Three things go beyond ko. The base layer comes from the Go toolchain and
// one Go module, so that no registry is needed. Several commands in one image
// are ko's layers put together. And the SPDX document is made here, from the
// build information in the binaries: ko's names modules as they were before
// "replace", and knows one command.
//
// The package must not know what manifests, bundles or repositories are, nor
// push anything. Start reading at [Lock] and [Build], then compile.go.
package image

import (
	"context"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// DefaultPlatform is what is locked where nobody asks for more.
const DefaultPlatform = "linux/amd64"

// Options say what to make and how. The zero value builds from the module,
// for [DefaultPlatform], one command at a time.
type Options struct {
	// Platforms are OS/ARCH. [Lock] locks them, [DefaultPlatform] if there are
	// none. [Build] makes what is locked, and refuses a platform that is not.
	Platforms []string
	// Source is where images come from; for [Lock], empty means
	// [catalog.FromModule], for [Build], whatever is locked.
	Source catalog.ImageSource
	// Registry says how the upstream's registries are reached.
	Registry oci.Registry
	// Jobs is how many images are compiled at once; 0 means one. The Go
	// command itself uses all processors.
	Jobs int
	// Rehash makes [Build] read every cached byte again. Otherwise it checks
	// the digests of manifests and the sizes of layers, and a layer's digest
	// when somebody reads the layer.
	Rehash bool
	// Mirrors are asked, in this order, for what [Build] would compile otherwise. [Lock]
	// asks none: it computes the digests that verify mirrors.
	Mirrors []*oci.Mirror
	// Costs say how long compiles take, for the progress of [Lock]. That of [Build] has
	// them from [Expect].
	Costs catalog.Costs
}

// Lock makes the images of a version, or resolves the upstream's, and answers
// with what images.lock.yml must say. It writes no file of the checkout.
// Images whose inputs did not change come from the cache.
func Lock(ctx context.Context, v *catalog.Version, o Options) (*catalog.ImagesLock, error) {
	if len(o.Platforms) == 0 {
		o.Platforms = []string{DefaultPlatform}
	}
	if o.Source == catalog.FromUpstream {
		return lockUpstream(ctx, v, o)
	}
	w, err := newWorkshop(ctx, v)
	if err != nil {
		return nil, err
	}
	if err := w.expect(ctx, o); err != nil {
		return nil, err
	}
	lock := &catalog.ImagesLock{Source: catalog.FromModule, Toolchain: w.toolchain.Version, Base: w.base.digest}
	lock.Images, err = each(ctx, o, v.Offered(), func(ctx context.Context, img catalog.Image) (catalog.LockedImage, error) {
		if img.From != "" {
			return lockedElsewhere(v, img, o.Platforms)
		}
		return w.lock(ctx, img, o.Platforms)
	})
	return lock, err
}

// Build answers with the images that the version's lock names, SBOMs
// attached: from the cache, a mirror, or compiled with the locked toolchain; upstream
// images from their registry. A digest other than the locked one is
// an error that names both, and nothing is kept of it.
func Build(ctx context.Context, v *catalog.Version, o Options) ([]oci.Artifact, error) {
	if err := checkLocked(v, o); err != nil {
		return nil, err
	}
	produce := build
	if v.Images.Source == catalog.FromUpstream {
		produce = fetchUpstream
	}
	whole := ctx // lives as long as the result, unlike that of each
	return each(ctx, o, v.Images.Images, func(ctx context.Context, locked catalog.LockedImage) (oci.Artifact, error) {
		img, err := declared(v, locked.Name)
		if err != nil {
			return oci.Artifact{}, err
		}
		maker, img := v.Maker(img)
		a, err := produce(ctx, maker, img, locked, o)
		if err != nil || v.Images.Source == catalog.FromUpstream {
			return a, err
		}
		return checked(a, func() error {
			again := o
			again.Rehash = true
			// A use of the build store of its own: the run may clear its own meanwhile.
			ctx, done := gocache.With(whole)
			defer done()
			_, err := build(ctx, maker, img, locked, again)
			return err
		}), nil
	})
}

// lockedElsewhere is an image as the lock of the version that makes it says.
func lockedElsewhere(v *catalog.Version, img catalog.Image, platforms []string) (catalog.LockedImage, error) {
	maker, made := v.Maker(img)
	i := slices.IndexFunc(lockedImages(maker), func(l catalog.LockedImage) bool { return l.Name == made.Name })
	if i < 0 {
		return catalog.LockedImage{}, fmt.Errorf("image %s of %s is made by %s, which has not locked it: run %q first", img.Name, v.ID(), maker.ID(), maker.Relock())
	}
	locked := maker.Images.Images[i]
	for _, p := range platforms {
		if !slices.Contains(platformsOf(locked), p) {
			return catalog.LockedImage{}, fmt.Errorf("image %s of %s is not locked for %s by %s, which makes it: run %q first", img.Name, v.ID(), p, maker.ID(), maker.Relock()+" --platform "+p)
		}
	}
	locked.Reference = img.Reference
	return locked, nil
}

func lockedImages(v *catalog.Version) []catalog.LockedImage {
	if v.Images == nil {
		return nil
	}
	return v.Images.Images
}

// each calls do for every item, o.Jobs at a time, and keeps the order.
func each[T, R any](ctx context.Context, o Options, items []T, do func(context.Context, T) (R, error)) ([]R, error) {
	results := make([]R, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(o.Jobs, 1))
	for i, item := range items {
		group.Go(func() (err error) {
			// One that failed makes the others that wait not even begin.
			if err := context.Cause(ctx); err != nil {
				return err
			}
			results[i], err = do(ctx, item)
			return err
		})
	}
	return results, group.Wait()
}

func checkLocked(v *catalog.Version, o Options) error {
	if v.Images == nil {
		return fmt.Errorf("%s has no %s: run %q", v.ID(), catalog.ImagesLockFile, v.Relock())
	}
	if o.Source != "" && o.Source != v.Images.Source {
		return fmt.Errorf("images of %s are locked from %q, not from %q: lock them again to change that", v.ID(), v.Images.Source, o.Source)
	}
	for _, img := range v.Images.Images {
		for _, p := range o.Platforms {
			if !slices.Contains(platformsOf(img), p) {
				return fmt.Errorf("image %s of %s is not locked for %s: run %q", img.Name, v.ID(), p, v.Relock()+" --platform "+p)
			}
		}
	}
	return nil
}

func declared(v *catalog.Version, name string) (catalog.Image, error) {
	i := slices.IndexFunc(v.Package.Images, func(img catalog.Image) bool { return img.Name == name })
	if i < 0 {
		return catalog.Image{}, fmt.Errorf("%s of %s names the image %s, which %s does not: run %q",
			catalog.ImagesLockFile, v.ID(), name, catalog.PackageFile, v.Relock())
	}
	return v.Package.Images[i], nil
}

func platformsOf(img catalog.LockedImage) []string {
	var all []string
	for _, p := range img.Platforms {
		all = append(all, p.Platform)
	}
	return all
}

// commandName is what ko calls a command's binary.
func commandName(command string) string { return path.Base(command) }
