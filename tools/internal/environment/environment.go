// Package environment tells what a cluster of an environment gets: the platform
// package rendered with the environment's values, and each package that it
// installs, rendered as kapp-controller would.
//
// It also compares such objects and judges them.
//
// It must not know any package by name, nor ask a cluster or a registry: what
// it needs to know of a cluster, the environment says. [Diff] and [Validate]
// must not know where objects came from either.
//
// Start reading at [Render], [Diff] and [Validate].
package environment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// Package is one package of an environment.
type Package struct {
	// Version is what is installed, and Range the range of versions that its
	// PackageInstall gives; of the platform there is none.
	Version *catalog.Version
	Range   string
	// Values and Overlays are given to it: files, and ytt files by name.
	Values   []bundle.ValuesFile
	Overlays map[string][]byte
	// Installer is the account that installs it; of the platform, that is nobody's
	// choice here.
	Installer rbac.Account
	// Objects are what kapp gets, kapp's own Config among them; see [bundle.Split].
	Objects []manifest.Object
}

// Rendered are the objects of an environment by the name of their package,
// without kapp's own Config, which no cluster ever sees.
type Rendered map[string][]manifest.Object

// Stored are the objects of packages that clusters store.
func Stored(packages []Package) Rendered {
	stored := Rendered{}
	for _, p := range packages {
		stored[p.Name()], _ = bundle.Split(p.Objects)
	}
	return stored
}

// Name is the package's.
func (p Package) Name() string { return p.Version.Package.Name }

// Render answers with all packages of an environment: the platform first, and
// then those that it installs, by name. Names, if any, choose among them; the
// others are not rendered. Wrong values are refused as they would be on a
// cluster, with the file, the line and the key in the message.
func Render(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, names ...string) ([]Package, error) {
	platform, err := renderPlatform(ctx, c, e)
	if err != nil {
		return nil, err
	}
	installed, err := installs(c, e, platform.Objects)
	if err != nil {
		return nil, fmt.Errorf("environment %s: %w", e.Name, err)
	}
	packages, err := choose(append([]Package{platform}, installed...), names)
	if err != nil {
		return nil, fmt.Errorf("environment %s: %w", e.Name, err)
	}
	return packages, renderAll(ctx, c, e, packages)
}

func renderPlatform(ctx context.Context, c *catalog.Catalog, e *catalog.Environment) (Package, error) {
	v, err := c.Platform()
	if err != nil {
		return Package{}, err
	}
	p := Package{Version: v, Values: Given(c, e, v.Package.Name).Given()}
	return p, p.render(ctx, c, e)
}

func choose(packages []Package, names []string) ([]Package, error) {
	if len(names) == 0 {
		return packages, nil
	}
	var known []string
	for _, p := range packages {
		known = append(known, p.Name())
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("package %q is not installed; installed packages: %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(packages, func(p Package) bool { return !slices.Contains(names, p.Name()) }), nil
}

// renderAll fills in the objects that are not there yet.
func renderAll(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, packages []Package) error {
	errs := make([]error, len(packages))
	each(len(packages), func(i int) {
		if packages[i].Objects == nil {
			errs[i] = packages[i].render(ctx, c, e)
		}
	})
	return errors.Join(errs...)
}

// each calls work for 0 to n-1, some of them at once.
func each(n int, work func(i int)) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error { work(i); return nil })
	}
	_ = group.Wait() // nothing fails
}

func (p *Package) render(ctx context.Context, c *catalog.Catalog, e *catalog.Environment) error {
	objects, err := repository.Render(ctx, c, p.Version, p.Values, bundle.RenderOptions{
		Repository: cmp.Or(e.Registry, c.Repository.Canonical), Overlays: p.Overlays,
	})
	if err != nil {
		return Given(c, e, p.Name()).Explain(fmt.Errorf("environment %s: %w", e.Name, err))
	}
	p.Objects = objects
	return nil
}
