package oci

import (
	"context"
	"errors"
	"fmt"
	"os"

	"carvel.dev/imgpkg/pkg/imgpkg/image"
	"carvel.dev/imgpkg/pkg/imgpkg/imageset"
	"carvel.dev/imgpkg/pkg/imgpkg/signature"
	imgpkg "carvel.dev/imgpkg/pkg/imgpkg/v1"
)

// Place is one end of a [Copy]; exactly one field is set.
type Place struct {
	// Bundle is a bundle's reference (source only).
	Bundle string
	// Repository is HOST/PATH (target only).
	Repository string
	// Tar is a file as "imgpkg copy --to-tar" makes it.
	Tar string
}

// copyJobs is imgpkg's own default.
const copyJobs = 5

// Copy does what "imgpkg copy" does with a bundle: it and all that it names,
// bundles within bundles included, from a registry to another or to a tar
// file, or from a tar file to a registry. A tar file appears complete or not
// at all.
func Copy(ctx context.Context, from, to Place, r Registry) error {
	switch {
	case from.Bundle != "" && from.Tar == "" && to.Tar != "" && to.Repository == "":
		return copyToTar(ctx, from, to.Tar, r)
	case (from.Bundle != "") != (from.Tar != "") && to.Repository != "" && to.Tar == "":
		return copyToRepository(ctx, from, to.Repository, r)
	}
	return errors.New("copying a bundle: expected a bundle to a repository or tar file, or a tar file to a repository")
}

func copyToTar(ctx context.Context, from Place, file string, r Registry) (err error) {
	registry, shower, err := imgpkgRegistry(ctx, from.Bundle, r)
	if err != nil {
		return err
	}
	tmp := file + ".part"
	defer func() {
		if err != nil {
			_ = os.Remove(tmp)
		}
	}()
	if _, err := imgpkg.CopyToTar(imgpkg.CopyOrigin{BundleRef: from.Bundle}, tmp, copyOptions(), registry); err != nil {
		return shower.show(ctx, "copying to "+file+" from", err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return fmt.Errorf("keeping the tar file: %w", err)
	}
	return nil
}

func copyToRepository(ctx context.Context, from Place, repository string, r Registry) error {
	registry, shower, err := imgpkgRegistry(ctx, repository, r)
	if err != nil {
		return err
	}
	origin := imgpkg.CopyOrigin{BundleRef: from.Bundle, TarPath: from.Tar}
	_, err = imgpkg.CopyToRepository(origin, repository, copyOptions(), registry)
	return shower.show(ctx, "copying to", err)
}

func copyOptions() imgpkg.CopyOpts {
	set := imageset.NewImageSet(copyJobs, quiet{}, image.DefaultTagGenerator{})
	return imgpkg.CopyOpts{
		Logger:             quiet{},
		ImageSet:           set,
		TarImageSet:        imageset.NewTarImageSet(set, copyJobs, quiet{}),
		Concurrency:        copyJobs,
		SignatureRetriever: signature.NewNoop(),
	}
}
