package image

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// Missing are the locked images of a version that are made from the module and are not
// in the cache. No process is started.
func Missing(v *catalog.Version) ([]catalog.LockedImage, error) {
	if v.Images == nil || v.Images.Source != catalog.FromModule {
		return nil, nil
	}
	var list []catalog.LockedImage
	for _, locked := range v.Images.Images {
		dir, err := cache.Dir(CacheKind, strings.TrimPrefix(locked.Inputs, "sha256:"))
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); err != nil {
			list = append(list, locked)
		}
	}
	return list, nil
}

// Uncompiled are the missing images of a version that [Build] would compile: those that
// no mirror says it has.
func Uncompiled(ctx context.Context, v *catalog.Version, mirrors []*oci.Mirror) ([]catalog.LockedImage, error) {
	missing, err := Missing(v)
	if err != nil {
		return nil, err
	}
	had := make([]bool, len(missing))
	var group errgroup.Group
	group.SetLimit(oci.DefaultJobs)
	for i, locked := range missing {
		group.Go(func() error {
			had[i] = slices.ContainsFunc(mirrors, func(m *oci.Mirror) bool { return m.Has(ctx, locked.Digest) })
			return nil
		})
	}
	_ = group.Wait() // no function of it fails
	var list []catalog.LockedImage
	for i, locked := range missing {
		if !had[i] {
			list = append(list, locked)
		}
	}
	return list, context.Cause(ctx)
}

// CheckToolchain returns an error where the images of a version cannot be compiled as
// they are locked: without the go command, or with another release.
func CheckToolchain(ctx context.Context, v *catalog.Version) error {
	t, err := findToolchain(ctx, v.Dir)
	if err != nil {
		return err
	}
	return t.pinned(v)
}

// Download fetches the modules that the commands of a version's uncompiled images
// import, and compiles nothing. Sources that a program writes are left to [Build].
func Download(ctx context.Context, v *catalog.Version, mirrors []*oci.Mirror) error {
	missing, err := Uncompiled(ctx, v, mirrors)
	if err != nil {
		return err
	}
	for _, locked := range missing {
		img, err := declared(v, locked.Name)
		if err != nil {
			return err
		}
		maker, img := v.Maker(img)
		if img.Generate != nil {
			continue
		}
		for _, command := range append([]string{img.Command}, img.With...) {
			if err := download(ctx, maker, img, command, platformsOf(locked)[0]); err != nil {
				return fmt.Errorf("downloading the modules of %s of %s: %w", command, maker.ID(), err)
			}
		}
	}
	return nil
}

// download lists the packages of a command, for which the go command needs the modules
// that hold them, and no others.
func download(ctx context.Context, v *catalog.Version, img catalog.Image, command, on string) error {
	platform, err := v1.ParsePlatform(on)
	if err != nil {
		return err
	}
	c := compiler{version: v, image: img}
	cmd, err := gotool.Command(ctx, append(append([]string{"list", "-deps", "-f", ""}, c.flags()...), command)...)
	if err != nil {
		return err
	}
	env, err := buildEnv(ctx, *platform, os.TempDir())
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Env = v.Module(command), append(os.Environ(), env...)
	return runQuietly(cmd)
}
