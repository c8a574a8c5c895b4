package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// LeaveOutBroken is for commands that concern some packages and not all: instead
// of failing, [Load] leaves out each version with something wrong, and what is
// made of it. Whoever asks for one by name gets its error. What is wrong outside
// packages/ is an error still.
func LeaveOutBroken(l *loader) { l.leaveOut = true }

// Broken is a package, or one version of it, that [LeaveOutBroken] left out
// because of its own files.
type Broken struct {
	Package string
	// Version is empty for a whole package.
	Version string
	// Err joins what is wrong, each as PATH:LINE: MESSAGE.
	Err error
}

// ID names the version, or the package, to people.
func (b Broken) ID() string { return strings.TrimSpace(b.Package + " " + b.Version) }

// leaveOutBroken takes the packages and versions with problems out of the
// catalog, and leaves the loader with the problems of other files.
func (l *loader) leaveOutBroken(c *Catalog) {
	var rest []problem
	found := map[Broken][]problem{}
	for _, p := range l.problems {
		owner, ok := c.owner(p.file)
		if !ok {
			rest = append(rest, p)
			continue
		}
		found[owner] = append(found[owner], p)
	}
	l.problems = rest
	c.leftOut = map[string]error{}
	for _, p := range c.Packages {
		p.leftOut = map[string]error{}
	}
	// A package comes before its versions, so that its own fault is told for all of it.
	for _, owner := range slices.SortedFunc(maps.Keys(found), func(a, b Broken) int { return strings.Compare(a.ID(), b.ID()) }) {
		owner.Err = join(found[owner])
		c.Broken = append(c.Broken, owner)
		c.leaveOut(owner)
	}
	c.leaveOutDependents()
	c.publishOnlyWhatIsLeft()
}

// owner is the package or version that a file below packages/ belongs to.
func (c *Catalog) owner(file string) (b Broken, ok bool) {
	parts := strings.Split(file, "/")
	if parts[0] != packagesDir || len(parts) == 1 {
		return b, false
	}
	b.Package = parts[1]
	if len(parts) > 2 && isVersion(parts[2]) {
		b.Version = parts[2]
	}
	return b, true
}

// leaveOut takes one version, or a whole package, out of the catalog. A package of
// which no version is left goes, too.
func (c *Catalog) leaveOut(b Broken) {
	i := slices.IndexFunc(c.Packages, func(p *Package) bool { return filepath.Base(p.Dir) == b.Package })
	if i < 0 {
		c.leftOut[b.Package] = cmp.Or(c.leftOut[b.Package], b.Err)
		return
	}
	p := c.Packages[i]
	p.leftOut[b.Version] = b.Err
	p.Versions = slices.DeleteFunc(p.Versions, func(v *Version) bool { return filepath.Base(v.Dir) == b.Version || b.Version == "" })
	if len(p.Versions) > 0 {
		return
	}
	var errs []error
	for _, version := range slices.Sorted(maps.Keys(p.leftOut)) {
		errs = append(errs, p.leftOut[version])
	}
	c.leftOut[b.Package] = errors.Join(errs...)
	c.Packages = slices.Delete(c.Packages, i, i+1)
}

// leaveOutDependents takes out the versions whose bundles would be others
// without what is left out.
func (c *Catalog) leaveOutDependents() {
	for again := true; again; {
		again = false
		for _, v := range slices.Clone(c.Versions()) {
			if err := c.lacks(v); err != nil {
				c.leaveOut(Broken{v.Package.Name, v.Version, fmt.Errorf("%s cannot be built from its files: %w", v.ID(), err)})
				again = true
			}
		}
	}
}

// lacks is why something that v is made of is left out, or nil: a version that it
// installs or that clusters upgrade from to that one, or the maker of an image.
func (c *Catalog) lacks(v *Version) error {
	for _, name := range slices.Sorted(maps.Keys(v.Installs)) {
		err := c.missing(name, func(version string) bool {
			return version == v.Installs[name] || slices.Contains(c.Repository.Published[name], version)
		})
		if err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.From)) {
		if err := c.missing(name, func(version string) bool { return version == v.From[name] }); err != nil {
			return err
		}
	}
	return nil
}

// missing is why a package is left out, or one of its versions that fit; nil
// where none is.
func (c *Catalog) missing(name string, fits func(version string) bool) error {
	if err := c.leftOut[name]; err != nil {
		return err
	}
	for _, p := range c.Packages {
		for _, version := range slices.Sorted(maps.Keys(p.leftOut)) {
			if p.Name == name && fits(version) {
				return p.leftOut[version]
			}
		}
	}
	return nil
}

// publishOnlyWhatIsLeft takes what is left out from the published versions.
func (c *Catalog) publishOnlyWhatIsLeft() {
	for name, versions := range c.Repository.Published {
		c.Repository.Published[name] = slices.DeleteFunc(versions, func(version string) bool {
			return c.missing(name, func(v string) bool { return v == version }) != nil
		})
	}
}
