package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carvel-dev/semver/v4"

	"github.com/strake-dev/strake/tools/internal/names"
)

// parseVersion reads version.yml of the version folder named dir.
func parseVersion(f *file, data []byte, dir string) (v Version) {
	f.decode(data, &v)
	if f.has("version") && v.Version != dir {
		f.bad("version", "version %q differs from its folder %q; one of them must change", v.Version, dir)
	}
	checkSemver(f, "version", v.Version)
	if v.Upstream == "" {
		v.Upstream, _, _ = strings.Cut(v.Version, "+")
	}
	if strings.HasPrefix(v.Upstream, "v") {
		f.bad("upstream", `upstream %q begins with "v"; omit it`, v.Upstream)
	}
	if f.has("licenses") && len(v.Licenses) == 0 {
		f.bad("licenses", "no license; name at least one SPDX expression such as Apache-2.0")
	}
	checkConstraint(f, "kubernetes", v.Kubernetes)
	checkConstraint(f, "kappController", v.KappController)
	checkConstraint(f, "upgradesFrom", v.UpgradesFrom)
	return v
}

// checkConstraint reads a range with the library that kapp-controller's own
// validation uses, so what passes here is admitted there.
func checkConstraint(f *file, field, text string) {
	if text == "" {
		return
	}
	if _, err := semver.ParseRange(text); err != nil {
		f.bad(field, "%s %q is not a range of versions such as \">=1.29.0 <2.0.0\": %v", field, text, err)
	}
}

// MovesFrom tells whether one may move to v from an older version in one step.
func (v *Version) MovesFrom(older string) bool { return inRange(v.UpgradesFrom, older) }

// Predecessors are the published versions from which one may move to v in one
// step, oldest first.
func (r Repository) Predecessors(v *Version) []*Version {
	return slices.DeleteFunc(r.Older(v), func(other *Version) bool { return !v.MovesFrom(other.Version) })
}

// Older are the published versions of v's package that are older than v, oldest first.
func (r Repository) Older(v *Version) []*Version {
	var older []*Version
	for _, other := range v.Package.Versions {
		if other == v {
			break // they are sorted
		}
		if slices.Contains(r.Published[v.Package.Name], other.Version) {
			older = append(older, other)
		}
	}
	return older
}

// inRange tells whether a version is in a range; nothing is in an empty one.
func inRange(constraint, version string) bool {
	admits, err := semver.ParseRange(constraint)
	if err != nil {
		return false
	}
	v, err := semver.Parse(version)
	return err == nil && admits(v)
}

// Published tells whether the repository offers v to users.
func (c *Catalog) Published(v *Version) bool {
	return slices.Contains(c.Repository.Published[v.Package.Name], v.Version)
}

// Package returns the package with this exact name, as files give it; see
// [Catalog.FindPackage] for names that a person types. The error has the nearest
// name or all names, or says why this package was left out.
func (c *Catalog) Package(name string) (*Package, error) {
	if err := c.leftOut[name]; err != nil {
		return nil, err
	}
	for _, p := range c.Packages {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no package %q; %s", name, names.Hint(name, packageNames(c.Packages)))
}

// Version returns the package's version with this exact name, as files give it;
// see [Catalog.FindVersion] for names that a person types. The error has the
// nearest version or all versions, or says why this one was left out.
func (p *Package) Version(version string) (*Version, error) {
	if err := p.leftOut[version]; err != nil {
		return nil, err
	}
	for _, v := range p.Versions {
		if v.Version == version {
			return v, nil
		}
	}
	return nil, fmt.Errorf("package %s has no version %q; %s", p.Name, version, versionHint(version, p))
}
