// Package repository makes the whole package repository out of a catalog:
// the bundle of every published version, the resources in repo/packages/ that
// offer them, and the repository bundle that PackageRepository resources
// point to.
//
// It strings the stages together (upstream, manifest, bundle) and keeps their
// results in the cache, so that a build with nothing changed starts no process
// and renders nothing. It must not know registries: what is to be pushed is
// handed out by [Repository.Artifacts]. Start reading at [Build]; [BuildVersion]
// is one version's way through the stages.
package repository

import (
	"context"
	"fmt"
	"path"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// Options change how a repository is built.
type Options struct {
	// Rewrite lets [Repository.Write] change the digest of a version that
	// stands in repo/packages already, which only work that nobody has
	// installed yet may do.
	Rewrite bool
	// Fresh renders and packs everything anew, whatever the cache holds. The
	// upstream's sources are still taken from there: their sums are checked.
	Fresh bool
	// Jobs is how many versions are built at once; 0 means one a processor.
	Jobs int

	// building is a run's fresh builds; [Build] begins it.
	building *once
}

// Repository is a built package repository.
type Repository struct {
	// Bundles are those of all published versions, by package name and then
	// by version, oldest first.
	Bundles []*bundle.Bundle
	// Files are all generated files of the checkout by slash path below its
	// root: repo/packages/** and repo/bundle.lock.yml.
	Files map[string][]byte
	// Image is the repository bundle with its tag, the repository's version; it
	// is empty after [BuildSome].
	Image oci.Artifact
	// Canonical is the repository that all references name.
	Canonical string

	catalog *catalog.Catalog
	rewrite bool
}

// Build makes the repository of all published versions in memory. Nothing is
// compiled and no registry is asked; sources that are not in the cache are
// fetched. Errors name the version and the file to change.
func Build(ctx context.Context, c *catalog.Catalog, o Options) (*Repository, error) {
	r, err := bundles(ctx, c, published(c), o)
	if err != nil {
		return nil, err
	}
	if err := r.pack(c); err != nil {
		return nil, err
	}
	return r, nil
}

// BuildSome makes a part of the repository: the bundles and the Packages of
// some published versions, without the repository bundle. A version that is
// not published is an error, since nothing of it is committed to compare with.
func BuildSome(ctx context.Context, c *catalog.Catalog, versions []*catalog.Version, o Options) (*Repository, error) {
	for _, v := range versions {
		if !c.Published(v) {
			return nil, fmt.Errorf("%s is not published in %s, so its digest is not committed; add it there and run \"strake build\"", v.ID(), catalog.RepositoryFile)
		}
	}
	r, err := bundles(ctx, c, versions, o)
	if err != nil {
		return nil, err
	}
	r.Files = map[string][]byte{}
	for _, b := range r.Bundles {
		r.Files[r.packageFile(b)] = b.PackageCR
	}
	return r, nil
}

// bundles builds versions, and is all of the repository but what is made of
// the bundles.
func bundles(ctx context.Context, c *catalog.Catalog, versions []*catalog.Version, o Options) (*Repository, error) {
	built := make([]*bundle.Bundle, len(versions))
	o.building = newOnce()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.jobs())
	for i, v := range versions {
		group.Go(func() (err error) {
			built[i], err = BuildVersion(ctx, c, v, o)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return &Repository{Bundles: built, Canonical: c.Repository.Canonical, catalog: c, rewrite: o.Rewrite}, nil
}

// packageFile is the file of the checkout that offers a bundle.
func (r *Repository) packageFile(b *bundle.Bundle) string {
	return path.Join(catalog.GeneratedDir, r.catalog.Repository.FullName(b.Package), b.Version+".yml")
}

// Reference is the repository bundle's canonical reference by digest.
func (r *Repository) Reference() string { return r.Canonical + "@" + r.Image.Digest }

// Bundle is that of a version, or nil where it is not published.
func (r *Repository) Bundle(v *catalog.Version) *bundle.Bundle {
	for _, b := range r.Bundles {
		if b.Package == v.Package.Name && b.Version == v.Version {
			return b
		}
	}
	return nil
}

func (o Options) jobs() int {
	if o.Jobs > 0 {
		return o.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// published are the versions that users are offered, in the catalog's order.
func published(c *catalog.Catalog) []*catalog.Version {
	var versions []*catalog.Version
	for _, p := range c.Packages {
		for _, v := range p.Versions {
			if c.Published(v) {
				versions = append(versions, v)
			}
		}
	}
	return versions
}

// pack makes the repository bundle and the generated files.
func (r *Repository) pack(c *catalog.Catalog) error {
	offered, err := r.offered(c)
	if err != nil {
		return err
	}
	if r.Image, err = r.image(c.Repository, offered); err != nil {
		return err
	}
	lock, err := bundleLock(r.Reference(), r.Image.Tags[0])
	if err != nil {
		return fmt.Errorf("writing %s: %w", LockFile, err)
	}
	r.Files = map[string][]byte{LockFile: lock}
	for name, data := range offered {
		r.Files[path.Join(path.Dir(catalog.GeneratedDir), name)] = data
	}
	return nil
}
