package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// PullOptions change how [Pull] works.
type PullOptions struct {
	// Recursive also pulls the bundles that the bundle names.
	Recursive bool
	// Image pulls the files of any image, as "imgpkg pull -i" does. A bundle is
	// pulled as it is, without regard to what it names.
	Image bool
}

// Pull writes the bundle at reference into dir, as "imgpkg pull -b" does:
// where all images of the bundle stand beside it, .imgpkg/images.yml names
// them there. The folder must be empty or missing, and appears complete or
// not at all.
//
// Nothing is unpacked before all of its entries are checked. An image with one
// that leads out of the folder, or is no file or folder, is an error, and so is
// one that is too large; imgpkg skips the one and writes the other.
func Pull(ctx context.Context, reference, dir string, r Registry, o PullOptions) error {
	if err := mustBeEmpty(dir); err != nil {
		return err
	}
	registry, shower, err := imgpkgRegistry(ctx, reference, r)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".strake-pull-")
	if err != nil {
		return fmt.Errorf("making a folder to pull into: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	p := puller{registry: registry, tmp: tmp, dir: filepath.Join(tmp, "content"), seen: map[string]bool{}}
	what := "the bundle"
	if o.Image {
		what, err = "the image", p.image(ctx, reference)
	} else {
		err = p.bundle(ctx, reference, "", o.Recursive)
	}
	if err != nil {
		return shower.show(ctx, "pulling "+what+" from", err)
	}
	return replaceEmpty(p.dir, dir)
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking into the folder to pull into: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("pulling into %s: it is not empty; name a new folder", dir)
	}
	return nil
}

func replaceEmpty(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("putting what was pulled into %s: %w", to, err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("putting what was pulled into %s: %w", to, err)
	}
	return nil
}
