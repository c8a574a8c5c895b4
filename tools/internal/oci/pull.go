package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	imgpkg "carvel.dev/imgpkg/pkg/imgpkg/v1"
)

// PullOptions change how [Pull] works.
type PullOptions struct {
	// Recursive also pulls the bundles that the bundle names.
	Recursive bool
}

// Pull writes the bundle at reference into dir, as "imgpkg pull -b" does:
// where all images of the bundle stand beside it, .imgpkg/images.yml names
// them there. The folder must be empty or missing, and appears complete or
// not at all.
func Pull(ctx context.Context, reference, dir string, r Registry, o PullOptions) error {
	if err := mustBeEmpty(dir); err != nil {
		return err
	}
	registry, shower, err := imgpkgRegistry(ctx, reference, r)
	if err != nil {
		return err
	}
	// imgpkg deletes the folder that it is given; this one is ours.
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".strake-pull-")
	if err != nil {
		return fmt.Errorf("making a folder to pull into: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	content := filepath.Join(tmp, "content")
	options := imgpkg.PullOpts{Logger: quiet{}, IsBundle: true}
	pull := imgpkg.PullWithRegistry
	if o.Recursive {
		pull = imgpkg.PullRecursiveWithRegistry
	}
	if _, err := pull(reference, content, options, registry); err != nil {
		return shower.show(ctx, "pulling the bundle from", err)
	}
	return replaceEmpty(content, dir)
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
