package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// unpack checks what vendir has downloaded into dir and unpacks it into the
// folder into, where that is what the contents ask for. It returns the folder
// that has the result.
func unpack(ctx context.Context, one *vendir.DirectoryContents, dir, into string) (string, error) {
	var err error
	switch {
	case one.Git != nil:
		err = remedy("git "+one.Git.URL, untrusted.CheckTree(dir, untrusted.Default()),
			"leave it out with excludePaths, or take another commit")
	case one.HTTP != nil:
		dir, err = unpackHTTP(ctx, one.HTTP, dir, into)
	case one.GithubRelease != nil:
		dir, err = unpackRelease(ctx, one.GithubRelease, dir, into)
	}
	return dir, err
}

func unpackHTTP(ctx context.Context, h *vendir.DirectoryContentsHTTP, dir, into string) (string, error) {
	if h.DisableUnpack {
		return dir, nil
	}
	file, name, err := onlyFile(dir, h.URL)
	if err != nil {
		return "", err
	}
	err = unpackFile(ctx, file, name, into)
	return into, remedy("http "+h.URL, err, "take another archive, or keep it as one file with disableUnpack: true")
}

// onlyFile finds the file that was downloaded, and gives the name that it has
// among the sources if it is no archive: the last part of the URL's path.
func onlyFile(dir, address string) (file, name string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		return "", "", fmt.Errorf("looking for the downloaded file of %s: there are %d (%w)", address, len(files), err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	name = u.Path[strings.LastIndex(u.Path, "/")+1:]
	if !filepath.IsLocal(name) || name == "." {
		name = "content"
	}
	return filepath.Join(dir, files[0].Name()), name, nil
}

// unpackFile unpacks an archive, and keeps any other file as it is, by name.
func unpackFile(ctx context.Context, file, name, into string) error {
	isArchive, err := untrusted.IsArchive(file, name)
	if err != nil {
		return err
	}
	if err := makeDir(into); err != nil {
		return err
	}
	if isArchive {
		return untrusted.Unpack(ctx, file, into, untrusted.Default())
	}
	if err := os.Rename(file, filepath.Join(into, name)); err != nil {
		return fmt.Errorf("keeping the downloaded file: %w", err)
	}
	return nil
}

func unpackRelease(ctx context.Context, g *vendir.DirectoryContentsGithubRelease, dir, into string) (string, error) {
	if g.HTTP != nil {
		var err error
		if dir, err = unpackHTTP(ctx, g.HTTP, dir, into+"-http"); err != nil {
			return "", err
		}
	}
	if g.UnpackArchive == nil {
		return dir, nil
	}
	source := "githubRelease " + path.Join(g.Slug, g.UnpackArchive.Path)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if info, err := root.Lstat(filepath.FromSlash(g.UnpackArchive.Path)); err != nil || !info.Mode().IsRegular() {
		return "", remedy(source, errors.New("unpackArchive.path names no file of the release"), "name one of assetNames")
	}
	if err := makeDir(into); err != nil {
		return "", err
	}
	err = untrusted.Unpack(ctx, filepath.Join(dir, filepath.FromSlash(g.UnpackArchive.Path)), into, untrusted.Default())
	return into, remedy(source, err, "take another archive, or keep it as one file by leaving unpackArchive out")
}

// remedy adds to an error the source that it is about and what to do.
func remedy(source string, err error, then string) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: %w: %s", source, err, then)
}
