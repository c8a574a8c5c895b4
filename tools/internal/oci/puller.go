package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"carvel.dev/imgpkg/pkg/imgpkg/bundle"
	"carvel.dev/imgpkg/pkg/imgpkg/lockconfig"
	imgpkgregistry "carvel.dev/imgpkg/pkg/imgpkg/registry"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// maxNested is how many bundles one bundle may name, those that they name
// included. The largest repositories have some hundreds of packages.
const maxNested = 2000

// puller pulls bundles as imgpkg does, and by its code, but for the unpacking.
type puller struct {
	registry *imgpkgregistry.SimpleRegistry
	// tmp holds layers while they are unpacked.
	tmp string
	// dir is where the topmost bundle goes.
	dir string
	// seen are the references that were pulled, or found to be no bundles.
	seen map[string]bool
}

func (p *puller) image(ctx context.Context, reference string) error {
	fetched, err := p.fetch(reference)
	if err != nil {
		return err
	}
	return fetched.unpack(ctx, p.tmp, p.dir)
}

// bundle pulls one bundle into a folder below that of the topmost one. An image
// that is no bundle is an error there, and nothing to do for a nested one.
func (p *puller) bundle(ctx context.Context, reference, below string, recursive bool) error {
	fetched, err := p.fetch(reference)
	if err != nil {
		return err
	}
	isBundle, err := fetched.isBundle()
	switch {
	case err != nil:
		return err
	case !isBundle && below != "":
		return nil
	case !isBundle:
		return errors.New("it is an image, not a bundle; push bundles with \"imgpkg push -b\"")
	}
	dir := filepath.Join(p.dir, below)
	if err := fetched.unpack(ctx, p.tmp, dir); err != nil {
		return err
	}
	refs, err := p.relocate(ctx, fetched, dir)
	if err != nil || !recursive {
		return err
	}
	return p.nested(ctx, refs)
}

// relocate rewrites .imgpkg/images.yml where all images stand beside the
// bundle, and returns what the bundle names.
func (p *puller) relocate(ctx context.Context, fetched *fetchedImage, dir string) ([]bundle.ImageRef, error) {
	file := filepath.Join(dir, bundle.ImgpkgDir, bundle.ImagesLockFile)
	lock, err := readImagesLock(file)
	if err != nil {
		return nil, err
	}
	refs, err := bundle.NewImageRefsFromImagesLock(lock, locations{ctx, p, fetched.at})
	if err != nil {
		return nil, err
	}
	isBeside, err := refs.UpdateRelativeToRepo(p.registry, fetched.at.Context().Name())
	if err != nil {
		return nil, err
	}
	if isBeside {
		if err := refs.ImagesLock().WriteToPath(file); err != nil {
			return nil, fmt.Errorf("writing .imgpkg/images.yml: %w", err)
		}
	}
	return refs.ImageRefs(), nil
}

func readImagesLock(file string) (lockconfig.ImagesLock, error) {
	info, err := os.Stat(file)
	if err != nil {
		return lockconfig.ImagesLock{}, errors.New("the bundle has no .imgpkg/images.yml; push it with \"imgpkg push -b\"")
	}
	if info.Size() > untrusted.File {
		return lockconfig.ImagesLock{}, fmt.Errorf(".imgpkg/images.yml has %d bytes, more than %s: %w", info.Size(), untrusted.Size(untrusted.File), untrusted.ErrLimit)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return lockconfig.ImagesLock{}, err
	}
	// It also refuses references without a digest, with which imgpkg panics.
	if _, err := ParseImagesLock(content); err != nil {
		return lockconfig.ImagesLock{}, err
	}
	return lockconfig.NewImagesLockFromBytes(content)
}

// nested pulls the bundles among references to where imgpkg puts them: all of
// them are folders of the topmost bundle.
func (p *puller) nested(ctx context.Context, refs []bundle.ImageRef) error {
	for _, ref := range refs {
		if p.seen[ref.Image] || ref.IsBundle != nil && !*ref.IsBundle {
			continue
		}
		p.seen[ref.Image] = true
		if len(p.seen) > maxNested {
			return fmt.Errorf("the bundle names more than %d others: %w", maxNested, untrusted.ErrLimit)
		}
		below := filepath.Join(bundle.ImgpkgDir, bundle.BundlesDir, strings.ReplaceAll(ref.Digest(), "sha256:", "sha256-"))
		if err := p.bundle(ctx, ref.PrimaryLocation(), below, true); err != nil {
			return err
		}
	}
	return nil
}

// fetch finds an image; its layers stay in the registry until it is unpacked.
func (p *puller) fetch(reference string) (*fetchedImage, error) {
	ref, err := name.ParseReference(reference, name.WeakValidation)
	if err != nil {
		return nil, err
	}
	found, err := p.registry.Get(ref)
	if err != nil {
		return nil, err
	}
	if !found.MediaType.IsImage() {
		return &fetchedImage{at: ref.Context().Digest(found.Digest.String()), mediaType: found.MediaType}, nil
	}
	image, err := found.Image()
	if err != nil {
		return nil, err
	}
	return newFetchedImage(image, ref.Context().Digest(found.Digest.String()))
}

// locations finds what "imgpkg copy" noted about the images of a bundle. It
// stores a context because imgpkg's interface takes none.
type locations struct {
	ctx context.Context //nolint:containedctx // see above
	p   *puller
	at  name.Digest
}

// Config implements imgpkg's ImageRefLocationsConfig.
func (l locations) Config() (bundle.ImageLocationsConfig, error) {
	return bundle.NewLocationsWithReader(l, quiet{}).Fetch(l.p.registry, l.at)
}

// Read implements imgpkg's LocationImageReader. imgpkg's own reads a file of
// any size into memory.
func (l locations) Read(image v1.Image) (bundle.ImageLocationsConfig, error) {
	fetched, err := newFetchedImage(image, l.at)
	if err != nil {
		return bundle.ImageLocationsConfig{}, err
	}
	dir, err := os.MkdirTemp(l.p.tmp, "locations-")
	if err != nil {
		return bundle.ImageLocationsConfig{}, fmt.Errorf("making a folder for a bundle's locations: %w", err)
	}
	if err := fetched.unpack(l.ctx, l.p.tmp, dir); err != nil {
		return bundle.ImageLocationsConfig{}, fmt.Errorf("unpacking the bundle's locations: %w", err)
	}
	file := filepath.Join(dir, bundle.LocationFilepath)
	if info, err := os.Stat(file); err == nil && info.Size() > untrusted.File {
		return bundle.ImageLocationsConfig{}, fmt.Errorf("the bundle's locations have more than %s: %w", untrusted.Size(untrusted.File), untrusted.ErrLimit)
	}
	return bundle.NewLocationConfigFromPath(file)
}
