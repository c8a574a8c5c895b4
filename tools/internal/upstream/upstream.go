// Package upstream brings the sources of a package version in, as a folder of
// files of which each one's origin is known.
//
// vendir does the fetching, in two runs. The first downloads and unpacks
// nothing; images come through the oci package, by digest. What arrives is
// checked and unpacked by the untrusted package, since vendir and imgpkg write
// wherever the names in an archive lead. The second run takes from those
// folders what vendir.yml asks for. A package's vendir.yml says what to take; it is a
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
	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// CacheKind is the folder of the cache that [Fetch] fills.
const CacheKind = "upstream"

const (
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
	sources, err := cache.Use(ctx, CacheKind, key, func(dir string) error { return fill(ctx, v, dir) }, open)
	if err != nil {
		return nil, fmt.Errorf("fetching the sources of %s: %w", v.ID(), err)
	}
	return sources, nil
}

// Outcome is what [Lock] did.
type Outcome string

// What [Lock] can come to.
const (
	// Locked means that vendir.lock.yml was written, with new content.
	Locked Outcome = "locked"
	// Unchanged means that the upstream is what vendir.lock.yml says.
	Unchanged Outcome = "unchanged"
	// NothingToFetch means that the version takes everything from Go modules, or
	// nothing from an upstream.
	NothingToFetch Outcome = "nothing to fetch"
)

// Lock resolves everything that vendir fetches for a version anew and writes
// its vendir.lock.yml. What cannot be unpacked safely is not locked. A version
// that takes everything from Go modules, or whose package has no vendir.yml,
// has no such file, and one that is left from earlier is removed.
func Lock(ctx context.Context, v *catalog.Version) (Outcome, error) {
	file := filepath.Join(v.Dir, catalog.VendirLockFile)
	if takesNothing(v) {
		return NothingToFetch, removeIfThere(file)
	}
	c, err := readConfig(ctx, v)
	if err != nil {
		return "", err
	}
	if !c.fetches() {
		return NothingToFetch, removeIfThere(file)
	}
	progress.From(ctx).Step("locking the sources of %s", v.ID())
	outcome, err := lock(ctx, c, file)
	if err != nil {
		return "", fmt.Errorf("locking the sources of %s: %w", v.ID(), err)
	}
	return outcome, nil
}

// takesNothing tells whether the package renders nothing of an upstream's, and
// so has no vendir.yml.
func takesNothing(v *catalog.Version) bool {
	_, err := os.Stat(filepath.Join(v.Package.Dir, catalog.VendirFile))
	return errors.Is(err, fs.ErrNotExist) && len(v.Package.Manifests) == 0
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

// sync fetches what is locked, and has vendir arrange it with every module in
// the place of its module:// path.
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
	got, err := c.fetch(ctx, locked, temp)
	if err != nil {
		return nil, errors.Join(err, explain(ctx, c, want, temp))
	}
	if err := want.check(got.lock); err != nil {
		return nil, err
	}
	got.putInto(&locked)
	if _, err := runVendir(ctx, c, locked, nil, filepath.Join(temp, "arrange"), files); err != nil {
		return nil, err
	}
	// A link that led to what includePaths or newRootPath leave out.
	return modules, remedy(c.file, untrusted.CheckTree(files, untrusted.Default()), "take what the link leads to as well")
}

// explain adds what git cannot say: when a locked commit is gone, which one
// has taken its place. Other kinds name both sums by themselves.
func explain(ctx context.Context, c *config, want *lockFile, temp string) error {
	ofGit, err := c.only(func(one *vendir.DirectoryContents) bool { return one.Git != nil })
	if err != nil || len(ofGit.Directories) == 0 || ctx.Err() != nil {
		return err
	}
	got, err := c.fetch(ctx, ofGit, filepath.Join(temp, "explain"))
	if err != nil {
		return nil //nolint:nilerr // the same failure as before: upstream cannot be reached
	}
	return want.checkGit(got.lock)
}

func open(e *cache.Entry) (*Sources, error) {
	// All of it: whoever renders the sources reads them without the cache.
	dir, err := e.Whole()
	if err != nil {
		return nil, err
	}
	data, err := e.ReadFile(originsFile)
	if err != nil {
		return nil, err
	}
	s := &Sources{Dir: filepath.Join(dir, filesDir)}
	if err := json.Unmarshal(data, &s.Origins); err != nil {
		return nil, cache.Damaged(fmt.Errorf("reading %s: %w", originsFile, err))
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
		return fmt.Errorf("removing a lock that is no longer required: %w", err)
	}
	return nil
}
