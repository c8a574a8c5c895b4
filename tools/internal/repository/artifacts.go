package repository

import (
	"errors"
	"fmt"
	"slices"

	"github.com/strake-dev/strake/tools/internal/oci"
)

// Artifacts is everything to be pushed so that the repository can be
// installed from one OCI repository: images (from image.Build), then package
// bundles, and the repository bundle last, so that nobody finds it before what
// it names. An image that a lock names and that is not given is an error.
func (r *Repository) Artifacts(images []oci.Artifact) ([]oci.Artifact, error) {
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
	if err := r.checkImages(given); err != nil {
		return nil, err
	}
	for _, b := range r.Bundles {
		all = append(all, b.Image)
	}
	return append(all, r.Image), nil
}

func (r *Repository) checkImages(given map[string]bool) error {
	var errs []error
	for _, v := range published(r.catalog) {
		for _, image := range v.Images.Images {
			if !given[image.Digest] {
				errs = append(errs, fmt.Errorf("image %s of %s (%s) is not among what is pushed; build it with \"strake images build %s@%s\"",
					image.Name, v.ID(), image.Digest, v.Package.Name, v.Version))
			}
		}
	}
	return errors.Join(errs...)
}
