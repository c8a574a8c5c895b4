package catalog

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Installed are the versions that v offers to install, sorted by package name.
func (v *Version) Installed() []*Version { return v.installed }

// installs finds the versions that others offer to install, and wants them to
// be there for users and to go together.
func (l *loader) installs(c *Catalog) {
	for _, v := range c.Versions() {
		f := newFile(path.Join(l.relative(v.Dir), VersionFile))
		f.lines = v.lines
		for _, name := range slices.Sorted(maps.Keys(v.Installs)) {
			other, err := c.installable(v, name)
			if err != nil {
				f.bad("installs."+name, "%v", err)
				continue
			}
			v.installed = append(v.installed, other)
		}
		if err := conflicts(chosen(v.installed)); err != nil {
			f.bad("installs", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		l.problems = append(l.problems, f.sorted()...)
	}
}

// installable is the version of a package that v installs.
func (c *Catalog) installable(v *Version, name string) (*Version, error) {
	p, err := c.Package(name)
	if err != nil {
		return nil, err
	}
	other, err := p.Version(v.Installs[name])
	switch {
	case err != nil:
		return nil, err
	case len(other.Installs) > 0:
		return nil, fmt.Errorf("%s installs packages itself and cannot be installed by another package; remove it", other.ID())
	case c.Published(v) && !c.Published(other):
		return nil, fmt.Errorf("%s is published, but not %s; publish it in %s", v.ID(), other.ID(), RepositoryFile)
	}
	return other, nil
}

// chosen are versions as [conflicts] takes them.
func chosen(versions []*Version) map[string]*Needed {
	needed := map[string]*Needed{}
	for _, v := range versions {
		needed[v.Package.Name] = &Needed{Version: v}
	}
	return needed
}
