package upstream

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	vendir "carvel.dev/vendir/pkg/vendir/config"
	vendirimage "carvel.dev/vendir/pkg/vendir/fetch/image"
	"carvel.dev/vendir/pkg/vendir/versions"
	selection "carvel.dev/vendir/pkg/vendir/versions/v1alpha1"

	"github.com/strake-dev/strake/tools/internal/oci"
)

// pull resolves an image or bundle to its digest, and brings in what has that
// digest.
func pull(ctx context.Context, one *vendir.DirectoryContents, into string) (string, vendir.LockDirectoryContents, error) {
	var entry vendir.LockDirectoryContents
	if err := makeDir(filepath.Dir(into)); err != nil {
		return "", entry, err
	}
	if i := one.Image; i != nil {
		registry := oci.Registry{SkipVerify: i.DangerousSkipTLSVerify, ResponseHeaderTimeout: seconds(i.ResponseHeaderTimeout)}
		at, tag, err := resolve(ctx, i.URL, i.PreresolvedTag(), i.TagSelection, registry)
		if err == nil {
			err = oci.Pull(ctx, at, into, registry, oci.PullOptions{Image: true})
		}
		entry.Image = &vendir.LockDirectoryContentsImage{URL: at, Tag: tag}
		return into, entry, err
	}
	b := one.ImgpkgBundle
	registry := oci.Registry{SkipVerify: b.DangerousSkipTLSVerify, ResponseHeaderTimeout: seconds(b.ResponseHeaderTimeout), CAFiles: b.AdditionalCACertificates}
	at, tag, err := resolve(ctx, b.Image, b.PreresolvedTag(), b.TagSelection, registry)
	if err == nil {
		err = oci.Pull(ctx, at, into, registry, oci.PullOptions{Recursive: b.Recursive})
	}
	entry.ImgpkgBundle = &vendir.LockDirectoryContentsImgpkgBundle{Image: at, Tag: tag}
	return into, entry, err
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// resolve returns a reference by digest, and the tag that it was resolved
// from. tag is that of the lock where there is one.
func resolve(ctx context.Context, reference, tag string, among *selection.VersionSelection, r oci.Registry) (at, of string, err error) {
	if among != nil {
		tags, err := oci.Tags(ctx, reference, r)
		if err != nil {
			return "", "", err
		}
		chosen, err := versions.HighestConstrainedVersion(tags, *among)
		if err != nil {
			return "", "", fmt.Errorf("choosing a tag of %s: %w", reference, err)
		}
		reference += ":" + chosen
	}
	if tag == "" {
		tag = vendirimage.NewGuessedRefParts(reference).Tag
	}
	at, err = oci.Pin(ctx, reference, r)
	return at, tag, err
}
