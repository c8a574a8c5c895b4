package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

// locksKind is the cache folder of the locks that writers of a checkout hold.
const locksKind = "checkouts"

// Write brings the generated files of the checkout up to date: it writes
// those that differ, each in one step, and removes those that nothing makes
// any more. Where a version's digest in repo/packages/ would change, it
// writes nothing and the error names all such versions, unless the repository
// was built with [Options.Rewrite].
func (r *Repository) Write(ctx context.Context, c *catalog.Catalog) error {
	unlock, err := lockCheckout(ctx, c.Root)
	if err != nil {
		return err
	}
	defer unlock()
	if !r.rewrite {
		if err := r.checkAddOnly(c.Root); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if err := writeFile(filepath.Join(c.Root, filepath.FromSlash(name)), r.Files[name]); err != nil {
			return err
		}
	}
	return r.removeStale(c.Root)
}

// lockCheckout lets one build at a time write to a checkout.
func lockCheckout(ctx context.Context, root string) (func(), error) {
	sum := sha256.Sum256([]byte(root))
	file, err := cache.Dir(locksKind, hex.EncodeToString(sum[:])+".lock")
	if err != nil {
		return nil, err
	}
	return cache.Lock(ctx, file)
}

// checkAddOnly compares the digests on disk with those that were built.
func (r *Repository) checkAddOnly(root string) error {
	var errs []error
	for _, b := range r.Bundles {
		name := r.packageFile(b)
		committed, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading what was generated before: %w", err)
		}
		if was := packageDigest(committed); was != "" && was != b.Digest {
			errs = append(errs, fmt.Errorf("%s: the bundle of %s %s is %s there and would become %s; a version that was released keeps its digest: make a new revision %s (copy its folder, set version, publish it in %s), or rewrite it with --force-rewrite if nobody can have installed it",
				name, b.Package, b.Version, was, b.Digest, nextRevision(b.Version), catalog.RepositoryFile))
		}
	}
	return errors.Join(errs...)
}

// nextRevision is the version after "2.21.0" or "2.21.0+strake.2".
func nextRevision(version string) string {
	base, build, _ := strings.Cut(version, "+")
	revision := 1
	if _, err := fmt.Sscanf(build, "strake.%d", &revision); err != nil {
		revision = 1
	}
	return fmt.Sprintf("%s+strake.%d", base, revision+1)
}

// packageDigest is the digest of the bundle that a Package names, or empty
// where the text is no such Package.
func packageDigest(text []byte) string {
	var pkg struct {
		Spec struct {
			Template struct {
				Spec struct {
					Fetch []struct {
						ImgpkgBundle struct {
							Image string `json:"image"`
						} `json:"imgpkgBundle"`
					} `json:"fetch"`
				} `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &pkg); err != nil || len(pkg.Spec.Template.Spec.Fetch) == 0 {
		return ""
	}
	_, digest, _ := strings.Cut(pkg.Spec.Template.Spec.Fetch[0].ImgpkgBundle.Image, "@")
	return digest
}

// writeFile replaces a file in one step, unless it holds the text already.
func writeFile(file string, text []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making the folder of %s: %w", file, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".part-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", file, err), os.Remove(temp.Name()))
	}
	return nil
}

// removeStale removes what stands in repo/packages/ and was not built, with
// the folders that it leaves empty.
func (r *Repository) removeStale(root string) error {
	stale, err := r.stale(root)
	if err != nil {
		return err
	}
	for _, name := range stale {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing what is no longer generated: %w", err)
		}
		// This fails where the folder still holds something, as it should.
		_ = os.Remove(filepath.Dir(file))
	}
	return nil
}

// stale are the files below repo/packages/ that the build does not make.
func (r *Repository) stale(root string) ([]string, error) {
	var stale []string
	err := fs.WalkDir(os.DirFS(root), catalog.GeneratedDir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && r.Files[name] == nil {
			stale = append(stale, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for files that are no longer generated: %w", err)
	}
	return stale, nil
}
