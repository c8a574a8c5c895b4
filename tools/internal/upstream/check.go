package upstream

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
)

// check refuses contents that vendir would fetch without being able to tell
// whether they are the right ones, all of them at once.
func (c *config) check() error {
	if len(c.Directories) == 0 {
		return fmt.Errorf("%s: takes nothing: name at least one directory with contents", c.file)
	}
	return c.each(func(path string, one *vendir.DirectoryContents) error {
		return errors.Join(checkPaths(path, one), c.checkKind(path, one), checkCredentials(one))
	})
}

// checkPaths keeps everything below the sources: vendir itself would follow
// a path out of them.
func checkPaths(path string, one *vendir.DirectoryContents) error {
	if !filepath.IsLocal(path) || path == "." {
		return errors.New("the path leads out of the sources: name a relative one without dot-dot")
	}
	if one.NewRootPath != "" && !filepath.IsLocal(one.NewRootPath) {
		return fmt.Errorf("newRootPath %s leads out of the contents", one.NewRootPath)
	}
	if len(one.IgnorePaths) > 0 {
		return errors.New("ignorePaths keeps files of an earlier run, and there is none: use excludePaths")
	}
	return nil
}

func (c *config) checkKind(path string, one *vendir.DirectoryContents) error {
	switch {
	case one.Directory != nil:
		return checkDirectory(one.Directory)
	case one.HTTP != nil:
		return checkHTTP(one.HTTP)
	case one.GithubRelease != nil:
		return checkGithubRelease(one.GithubRelease)
	case one.HelmChart != nil:
		return checkSum(c.charts[path], "helmChart.sha256", "of the chart's archive")
	case one.Hg != nil, one.Manual != nil:
		return errors.New("hg and manual contents cannot be fetched reproducibly here: use git, http or a module")
	}
	return nil
}

func checkDirectory(d *vendir.DirectoryContentsDirectory) error {
	if path, ok := strings.CutPrefix(d.Path, modulePrefix); ok && path != "" {
		return nil
	}
	return fmt.Errorf("directory.path %q is no Go module: write %sPATH; files of our own belong in the package's config folder",
		d.Path, modulePrefix)
}

func checkHTTP(h *vendir.DirectoryContentsHTTP) error {
	return checkSum(h.SHA256, "http.sha256", "of the downloaded file")
}

// checkGithubRelease wants a checksum for each asset by its full name: vendir
// reads those that are missing from the release's notes, which anybody who
// can change an asset can change too, and it panics where a pattern matches
// an asset without one.
func checkGithubRelease(g *vendir.DirectoryContentsGithubRelease) error {
	if g.HTTP != nil {
		return checkSum(g.HTTP.SHA256, "githubRelease.http.sha256", "of the downloaded file")
	}
	if len(g.AssetNames) == 0 {
		return errors.New("githubRelease.assetNames is missing: name each asset, and its SHA-256 in githubRelease.checksums")
	}
	var errs []error
	for _, name := range g.AssetNames {
		if name != filepath.Base(name) || !filepath.IsLocal(name) || name == "." {
			errs = append(errs, fmt.Errorf("githubRelease.assetNames: %q is no file name", name))
			continue
		}
		if strings.ContainsAny(name, `*?[{\`) {
			errs = append(errs, fmt.Errorf("githubRelease.assetNames: %q is a pattern: name each asset in full", name))
			continue
		}
		errs = append(errs, checkSum(g.Checksums[name], fmt.Sprintf("githubRelease.checksums[%q]", name), "of the asset"))
	}
	return errors.Join(errs...)
}

func checkSum(sum, field, of string) error {
	if regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(sum) {
		return nil
	}
	return fmt.Errorf("%s is missing or no SHA-256: vendir's lock does not pin the content, so put the 64 hexadecimal digits %s there (sha256sum FILE)",
		field, of)
}
