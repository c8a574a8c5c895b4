package catalog

import (
	"errors"
	"slices"
	"strings"
)

// Select answers with the versions that args name, each once, in the order of
// the catalog: "keda" is every version of a package, "keda@2.21.0" is one, no
// argument is all. The error joins what is wrong with each argument.
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
	name, version, exact := strings.Cut(arg, "@")
	p, err := c.Package(name)
	if err != nil || !exact {
		return versionsOf(p), err
	}
	v, err := p.Version(version)
	return []*Version{v}, err
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
