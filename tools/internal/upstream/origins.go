package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
)

// findOrigins says of every file where it came from, and takes the right to
// write to it away: the folder is shared.
func findOrigins(dir string, c *config, l *lockFile, modules map[string]module) (map[string]Origin, error) {
	origins := map[string]Origin{}
	err := c.each(func(at string, one *vendir.DirectoryContents) error {
		entry, _ := l.entry(at)
		return eachFile(dir, at, func(file, inside string) error {
			o := Origin{Path: path.Join(one.NewRootPath, inside)}
			switch {
			case one.Directory != nil:
				m := modules[modulePath(one)]
				o.Source, o.Sum = "module "+m.Path+"@"+m.Version, m.Sum
			case one.HelmChart != nil:
				o.Source, o.Sum = "helmChart "+chartKey(one.HelmChart), "sha256:"+c.charts[at]
			default:
				o.Source, o.Sum = originOf(inside, one, entry)
			}
			origins[file] = o
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding the origins of the sources: %w", err)
	}
	return origins, nil
}

// eachFile calls f with each file of the contents at a path: its path below
// the sources, and its path inside the contents.
func eachFile(dir, at string, f func(file, inside string) error) error {
	root := filepath.Join(dir, at)
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if d.Type().IsRegular() {
			if err := os.Chmod(name, 0o444); err != nil {
				return err
			}
		}
		inside, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return f(path.Join(at, filepath.ToSlash(inside)), filepath.ToSlash(inside))
	})
}

// originOf gives the source and sum of what needs nothing but its own
// configuration and lock.
func originOf(inside string, one *vendir.DirectoryContents, entry vendir.LockDirectoryContents) (source, sum string) {
	switch {
	case one.HTTP != nil:
		return "http " + one.HTTP.URL, "sha256:" + one.HTTP.SHA256
	case one.Git != nil:
		return "git " + one.Git.URL, entry.Git.SHA
	case one.Image != nil:
		return "image " + entry.Image.URL, digestOf(entry.Image.URL)
	case one.ImgpkgBundle != nil:
		return "imgpkgBundle " + entry.ImgpkgBundle.Image, digestOf(entry.ImgpkgBundle.Image)
	case one.GithubRelease != nil:
		return originOfAsset(inside, one.GithubRelease, entry.GithubRelease)
	}
	text := sha256.Sum256([]byte(one.Inline.Paths[inside]))
	return "inline vendir.yml", "sha256:" + hex.EncodeToString(text[:])
}

// originOfAsset finds the asset that a file is, or was unpacked from.
func originOfAsset(inside string, g *vendir.DirectoryContentsGithubRelease, l *vendir.LockDirectoryContentsGithubRelease) (source, sum string) {
	source = "githubRelease " + l.URL
	if g.Slug != "" {
		source = "githubRelease " + g.Slug + "@" + l.Tag
	}
	switch {
	case g.HTTP != nil:
		sum = g.HTTP.SHA256
	case g.UnpackArchive != nil:
		sum = g.Checksums[g.UnpackArchive.Path]
	default:
		sum = g.Checksums[inside]
	}
	return source, "sha256:" + sum
}

func digestOf(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}
