package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/carvel-dev/semver/v4"

	"github.com/strake-dev/strake/tools/internal/names"
)

// Select returns the versions that args name, each once, in the order of the
// catalog: a package ("keda", "keda.strake.internal") is all its versions, and
// "keda@2.21.0" or "keda@2.21" is one, as in [Catalog.FindVersion]. No argument is
// all versions. The error joins a [names.UnknownError] for each wrong argument.
func (c *Catalog) Select(args []string) ([]*Version, error) {
	var chosen []*Version
	var errs []error
	for _, arg := range args {
		versions, err := c.selectOne(arg)
		chosen, errs = append(chosen, versions...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	all := c.Versions()
	if len(args) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(v *Version) bool { return !slices.Contains(chosen, v) }), nil
}

func (c *Catalog) selectOne(arg string) ([]*Version, error) {
	if !strings.Contains(arg, "@") {
		p, err := c.FindPackage(arg)
		return versionsOf(p), err
	}
	v, err := c.Find(arg)
	return []*Version{v}, err
}

// Find returns the one version that an argument names, as [Catalog.Select] does,
// but a package alone is its [Catalog.Newest] version.
func (c *Catalog) Find(arg string) (*Version, error) {
	name, version, exact := strings.Cut(arg, "@")
	p, err := c.FindPackage(name)
	if err != nil {
		return nil, err
	}
	if !exact {
		return c.Newest(p), nil
	}
	return c.FindVersion(p, version)
}

// FindPackage returns the package that a person names, by its name or its full
// name, NAME.DOMAIN. The error is a [names.UnknownError].
func (c *Catalog) FindPackage(name string) (*Package, error) {
	short := strings.TrimSuffix(name, "."+c.Repository.Domain)
	p, err := c.Package(short)
	if err == nil || c.leftOut[short] != nil {
		return p, err
	}
	if bare, _, versioned := strings.Cut(name, "@"); versioned {
		return nil, names.Unknownf("%q names a version, but only a package is allowed here; omit the version: %s", name, bare)
	}
	return nil, names.Unknownf("no package %q; %s", name, names.Hint(short, packageNames(c.Packages)))
}

// FindVersion returns the package's version that a person names: in full, or as
// MAJOR or MAJOR.MINOR for the newest of these, where published versions come
// before others. The error is a [names.UnknownError].
func (c *Catalog) FindVersion(p *Package, version string) (*Version, error) {
	if v, err := p.Version(version); err == nil || p.leftOut[version] != nil {
		return v, err
	}
	if v := c.newestOf(p, func(v *Version) bool { return isMinor(version, v.Version) }); v != nil {
		return v, nil
	}
	return nil, names.Unknownf("package %s has no version %q; %s", p.Name, version, versionHint(version, p))
}

// isMinor tells whether a short name, MAJOR or MAJOR.MINOR, stands for a version.
func isMinor(short, version string) bool {
	v, err := semver.Parse(version)
	return err == nil && (short == strconv.FormatUint(v.Major, 10) || short == fmt.Sprintf("%d.%d", v.Major, v.Minor))
}

// Newest is the newest published version of a package, or the newest one where
// none is published.
func (c *Catalog) Newest(p *Package) *Version {
	return c.newestOf(p, func(*Version) bool { return true })
}

// newestOf is the newest published version among those that are wanted, else the
// newest of them, or nil.
func (c *Catalog) newestOf(p *Package, wanted func(*Version) bool) *Version {
	var newest *Version
	for _, v := range slices.Backward(p.Versions) {
		if wanted(v) && c.Published(v) {
			return v
		}
		if wanted(v) && newest == nil {
			newest = v
		}
	}
	return newest
}

// Versions are those of all packages, in the order of the catalog.
func (c *Catalog) Versions() []*Version {
	var all []*Version
	for _, p := range c.Packages {
		all = append(all, p.Versions...)
	}
	return all
}

func versionsOf(p *Package) []*Version {
	if p == nil {
		return nil
	}
	return p.Versions
}
