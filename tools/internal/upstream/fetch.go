package upstream

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
)

// arrived is what was fetched, checked and unpacked.
type arrived struct {
	// dirs has the folder of each of the contents, by their path below the
	// sources.
	dirs map[string]string
	// lock is what vendir would have written.
	lock vendir.LockConfig
}

// fetch brings in all of what that is fetched, into folders below temp.
func (c *config) fetch(ctx context.Context, what vendir.Config, temp string) (*arrived, error) {
	entries, dirs, err := c.download(ctx, what, temp)
	if err != nil {
		return nil, err
	}
	got := &arrived{dirs: map[string]string{}, lock: vendir.NewLockConfig()}
	for i := range what.Directories {
		d := &what.Directories[i]
		locked := vendir.LockDirectory{Path: d.Path}
		for j := range d.Contents {
			one, path := &d.Contents[j], join(d.Path, d.Contents[j].Path)
			if !isFetched(one) {
				continue
			}
			into := filepath.Join(temp, "unpacked", flat(len(got.dirs), path))
			entry, ok := entries[path]
			if ok {
				got.dirs[path], err = unpack(ctx, one, dirs[path], into)
			} else {
				got.dirs[path], entry, err = pull(ctx, one, into)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.file, path, err)
			}
			entry.Path = one.Path
			if entry.ConfigDigest, err = c.digest(path); err != nil {
				return nil, err
			}
			locked.Contents = append(locked.Contents, entry)
		}
		if len(locked.Contents) > 0 {
			got.lock.Directories = append(got.lock.Directories, locked)
		}
	}
	return got, nil
}

// download has vendir download what it can without unpacking it, and returns
// its lock and the folder of each of the contents by their path.
func (c *config) download(ctx context.Context, what vendir.Config, temp string) (map[string]vendir.LockDirectoryContents, map[string]string, error) {
	packed := what
	packed.Directories = nil
	paths := map[string]string{}
	for _, d := range what.Directories {
		for _, one := range d.Contents {
			path := join(d.Path, one.Path)
			if isFetched(&one) && one.Image == nil && one.ImgpkgBundle == nil {
				name := flat(len(paths), path)
				paths[name] = path
				packed.Directories = append(packed.Directories, vendir.Directory{Path: name, Contents: []vendir.DirectoryContents{asDownload(one)}})
			}
		}
	}
	entries, dirs := map[string]vendir.LockDirectoryContents{}, map[string]string{}
	if len(paths) == 0 {
		return entries, dirs, nil
	}
	into := filepath.Join(temp, "downloads")
	got, err := runVendir(ctx, c, packed, c.chartSums(what), filepath.Join(temp, "download"), into)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range got.Directories {
		entries[paths[d.Path]], dirs[paths[d.Path]] = d.Contents[0], filepath.Join(into, d.Path)
	}
	return entries, dirs, nil
}

// flat is a path as the name of one folder, with a number that tells apart
// what would be alike. vendir shows it in its errors.
func flat(n int, path string) string {
	return strconv.Itoa(n) + "-" + strings.ReplaceAll(path, "/", "-")
}

// asDownload changes contents so that vendir only downloads them. vendir
// follows a link in newRootPath wherever it leads, so that comes after the
// check; the other filters run before it for git, to keep its own files out.
func asDownload(one vendir.DirectoryContents) vendir.DirectoryContents {
	one.Path, one.NewRootPath, one.Permissions = vendir.EntireDirPath, "", nil
	if one.Git != nil {
		return one
	}
	one.IncludePaths, one.ExcludePaths, one.LegalPaths = nil, nil, nil
	switch {
	case one.HTTP != nil:
		one.HTTP = packed(one.HTTP)
	case one.GithubRelease != nil:
		release := *one.GithubRelease
		release.UnpackArchive = nil
		if release.HTTP != nil {
			release.HTTP = packed(release.HTTP)
		}
		one.GithubRelease = &release
	}
	return one
}

func packed(h *vendir.DirectoryContentsHTTP) *vendir.DirectoryContentsHTTP {
	copied := *h
	copied.DisableUnpack = true
	return &copied
}

// digest is the configDigest of the contents at a path, as vendir.yml has
// them.
func (c *config) digest(path string) (digest string, err error) {
	_ = c.each(func(at string, one *vendir.DirectoryContents) error {
		if at == path {
			digest, err = configDigest(*one)
		}
		return nil
	})
	return digest, err
}

// putInto lets a configuration take everything that was fetched from where it
// is now.
func (a *arrived) putInto(what *vendir.Config) {
	for i := range what.Directories {
		d := &what.Directories[i]
		for j := range d.Contents {
			one := &d.Contents[j]
			dir, ok := a.dirs[join(d.Path, one.Path)]
			if !ok {
				continue
			}
			one.Git, one.HTTP, one.GithubRelease, one.HelmChart, one.Image, one.ImgpkgBundle = nil, nil, nil, nil, nil, nil
			one.Directory = &vendir.DirectoryContentsDirectory{Path: dir}
		}
	}
}

// makeDir makes a folder to unpack into.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a folder to unpack into: %w", err)
	}
	return nil
}
