package repository

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// Artifacts is everything to be pushed so that the repository can be
// installed from one OCI repository: images (from image.Build), then package
// bundles, and the repository bundle last, so that nobody finds it before what
// it names. It is the one list of all that is published, so it checks what it
// hands out: an image that a lock of one of the versions in complete names and
// that is not given is an error, and so is a bundle whose content does not
// have its digest or whose tag is another version's, as from a cache that was
// edited.
func (r *Repository) Artifacts(images []oci.Artifact, complete ...*catalog.Version) ([]oci.Artifact, error) {
	given := map[string]bool{}
	var all []oci.Artifact
	for _, image := range images {
		if i := slices.IndexFunc(all, func(a oci.Artifact) bool { return a.Digest == image.Digest }); i >= 0 {
			all[i].Tags = append(slices.Clone(all[i].Tags), image.Tags...)
			continue
		}
		given[image.Digest] = true
		all = append(all, image)
	}
	if err := checkImages(given, complete); err != nil {
		return nil, err
	}
	for _, b := range r.Bundles {
		if err := checkBundle(b); err != nil {
			return nil, err
		}
		all = append(all, b.Image)
	}
	if r.Image.Image != nil {
		all = append(all, r.Image)
	}
	return all, nil
}

func checkImages(given map[string]bool, versions []*catalog.Version) error {
	var errs []error
	for _, v := range versions {
		if v.Images == nil {
			errs = append(errs, fmt.Errorf("%s has no %s, so it cannot be pushed; lock it with: %s", v.ID(), catalog.ImagesLockFile, v.Relock()))
			continue
		}
		for _, image := range v.Images.Images {
			if !given[image.Digest] {
				errs = append(errs, fmt.Errorf("image %s of %s (%s) is not among what is pushed; build it with \"strake images build %s@%s\"",
					image.Name, v.ID(), image.Digest, v.Package.Name, v.Version))
			}
		}
	}
	return errors.Join(errs...)
}

// checkBundle compares what will be sent with what the bundle says of itself.
func checkBundle(b *bundle.Bundle) error {
	const remedy = "remove the bundles from the cache, or run \"strake verify\""
	if want := bundle.Tag(b.Package, b.Version); !slices.Equal(b.Image.Tags, []string{want}) {
		return fmt.Errorf("the bundle of %s %s has the tags %q and not %q; %s", b.Package, b.Version, b.Image.Tags, want, remedy)
	}
	digest, err := b.Image.Image.Digest()
	if err != nil {
		return fmt.Errorf("hashing the bundle of %s %s: %w", b.Package, b.Version, err)
	}
	if digest.String() != b.Digest || b.Image.Digest != b.Digest {
		return fmt.Errorf("the digest of the bundle of %s %s is %s, not %s as recorded; %s", b.Package, b.Version, digest, b.Digest, remedy)
	}
	if err := validate.Image(b.Image.Image); err != nil {
		return fmt.Errorf("the content of the bundle of %s %s does not have its digests; %s: %w", b.Package, b.Version, remedy, err)
	}
	return nil
}
