// Package upstream brings the sources of a package version in, as a folder of
// files of which each one's origin is known.
//
// vendir does the fetching. A package's vendir.yml says what to take; it is a
// ytt template with three data values, "version" (the upstream's version,
// without "v"), "package.version" and "package.leftOut" (names of the optional
// images that the version lacks), since it serves all versions. A
// directory whose path is module://PATH is the Go module that the version's
// go.mod pins, or one in a folder below it, and the go.sum beside it vouches
// for; everything else is pinned by the version's vendir.lock.yml, and by the checksums that vendir.yml must give
// where that lock holds none.
//
// Credentials come from the environment, as vendir's own do: a GitHub token in
// VENDIR_GITHUB_API_TOKEN, registries as imgpkg finds them (IMGPKG_* variables,
// Docker's configuration), git by its credential helpers. git is the one
// program that must be installed, where something is taken from git; helm is
// not needed.
//
// It must not know what the files mean: manifest renders them. Start reading
// at [Fetch]; config.go holds the rules for vendir.yml, pins.go what the
// version's go.mod files say, module.go the way to a module's folder, and
// child.go the reason why vendir runs in a process of
// its own.
package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	vendir "carvel.dev/vendir/pkg/vendir/config"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
)

const (
	cacheKind   = "upstream"
	filesDir    = "files"
	originsFile = "origins.json"
)

// Sources are the files of one version.
type Sources struct {
	// Dir is the folder that holds them, absolute and in the cache: it is
	// shared with other runs and must not be written to.
	Dir string
	// Origins say of every file below Dir, by its slash path, where it came from.
	Origins map[string]Origin
}

// Origin is where one file came from.
type Origin struct {
	// Source names what was fetched: "module github.com/kedacore/keda/v2@v2.21.0",
	// "http https://host/file.tgz", "git https://host/repo.git", and so on.
	Source string `json:"source"`
	// Path is the file's slash path within the source.
	Path string `json:"path"`
	// Sum is what pins the source's content: go.sum's "h1:…", "sha256:…", or
	// a git commit.
	Sum string `json:"sum"`
}

// Fetch answers with the sources of a version. Everything in them was checked
// against go.sum, vendir.lock.yml and the checksums in vendir.yml; where
// something does not match, the error names both sums and nothing is kept.
// The result is cached under [Key]: a hit starts no process and needs no
// network.
func Fetch(ctx context.Context, v *catalog.Version) (*Sources, error) {
	key, err := Key(v)
	if err != nil {
		return nil, err
	}
	dir, err := cache.Folder(ctx, cacheKind, key, func(dir string) error {
		return fill(ctx, v, dir)
	})
	if err != nil {
		return nil, fmt.Errorf("fetching the sources of %s: %w", v.ID(), err)
	}
	return open(dir)
}

// Lock resolves everything that vendir fetches for a version anew and writes
// its vendir.lock.yml. A version that takes everything from Go modules has no
// such file, and one that is left from earlier is removed.
func Lock(ctx context.Context, v *catalog.Version) error {
	c, err := readConfig(ctx, v)
	if err != nil {
		return err
	}
	file := filepath.Join(v.Dir, catalog.VendirLockFile)
	if !c.fetches() {
		return removeIfThere(file)
	}
	progress.From(ctx).Step("locking the sources of %s", v.ID())
	if err := lock(ctx, c, file); err != nil {
		return fmt.Errorf("locking the sources of %s: %w", v.ID(), err)
	}
	return nil
}

func fill(ctx context.Context, v *catalog.Version, dir string) error {
	progress.From(ctx).Step("fetching the sources of %s", v.ID())
	c, err := readConfig(ctx, v)
	if err != nil {
		return err
	}
	want, err := readLock(v, c)
	if err != nil {
		return err
	}
	files := filepath.Join(dir, filesDir)
	modules, err := sync(ctx, v, c, want, files)
	if err != nil {
		return err
	}
	origins, err := findOrigins(files, c, want, modules)
	if err != nil {
		return err
	}
	return writeOrigins(filepath.Join(dir, originsFile), origins)
}

// sync runs vendir on the locked configuration with every module in the place
// of its module:// path.
func sync(ctx context.Context, v *catalog.Version, c *config, want *lockFile, files string) (map[string]module, error) {
	modules, err := resolveModules(ctx, v, c.modulePaths())
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(files), "vendir-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to fetch into: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	locked, err := c.locked(want)
	if err != nil {
		return nil, err
	}
	if err := copyModules(&locked, modules, temp); err != nil {
		return nil, err
	}
	got, err := runVendir(ctx, c, locked, temp, files)
	if err != nil {
		return nil, errors.Join(err, explain(ctx, c, want, temp))
	}
	return modules, want.check(got)
}

// explain adds what git cannot say: when a locked commit is gone, which one
// has taken its place. Other kinds name both sums by themselves.
func explain(ctx context.Context, c *config, want *lockFile, temp string) error {
	ofGit, err := c.only(func(one *vendir.DirectoryContents) bool { return one.Git != nil })
	if err != nil || len(ofGit.Directories) == 0 || ctx.Err() != nil {
		return err
	}
	again := filepath.Join(temp, "explain")
	got, err := runVendir(ctx, c, ofGit, again, filepath.Join(again, filesDir))
	if err != nil {
		return nil //nolint:nilerr // the same failure as before: upstream cannot be reached
	}
	return want.checkGit(got)
}

func open(dir string) (*Sources, error) {
	data, err := os.ReadFile(filepath.Join(dir, originsFile))
	if err != nil {
		return nil, fmt.Errorf("reading cached sources (delete %s to have them fetched again): %w", dir, err)
	}
	s := &Sources{Dir: filepath.Join(dir, filesDir)}
	if err := json.Unmarshal(data, &s.Origins); err != nil {
		return nil, fmt.Errorf("reading cached sources (delete %s to have them fetched again): %w", dir, err)
	}
	return s, nil
}

func writeOrigins(file string, origins map[string]Origin) error {
	data, err := json.Marshal(origins)
	if err != nil {
		return fmt.Errorf("writing the origins of the sources: %w", err)
	}
	if err := os.WriteFile(file, data, 0o444); err != nil {
		return fmt.Errorf("writing the origins of the sources: %w", err)
	}
	return nil
}

func removeIfThere(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a lock that nothing needs any more: %w", err)
	}
	return nil
}
