package catalog

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/carvel-dev/semver/v4"
)

var groupVersion = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z0-9]+/v[0-9a-z]+$`)

// Admits tells whether a version of the required package satisfies the need.
func (r Requirement) Admits(version string) bool { return inRange(r.Constraint, version) }

// requirements checks what versions require of one another, which takes all
// packages.
func (l *loader) requirements(c *Catalog) {
	for _, p := range c.Packages {
		for _, v := range p.Versions {
			f := newFile(path.Join(l.relative(v.Dir), VersionFile))
			f.lines = v.lines
			for i, r := range v.Requires {
				checkRequirement(f, fmt.Sprintf("requires[%d]", i), c, v, r)
			}
			checkUnique(f, "requires", v.Requires, "package", func(r Requirement) string { return r.Package })
			l.problems = append(l.problems, f.sorted()...)
		}
	}
	l.cycles(c)
}

func checkRequirement(f *file, at string, c *Catalog, v *Version, r Requirement) {
	if _, err := semver.ParseRange(r.Constraint); err != nil {
		checkConstraint(f, at+".constraint", r.Constraint)
		return
	}
	if r.When != "" && !r.Optional {
		f.bad(at+".when", "a need with a condition is optional; add optional: true")
	}
	if strings.ContainsAny(r.When, "\n\r") {
		f.bad(at+".when", "the condition is not one line")
	}
	if r.API != "" && !groupVersion.MatchString(r.API) {
		f.bad(at+".api", "api %q is not GROUP/VERSION such as serving.knative.dev/v1", r.API)
	}
	if r.Package == "" {
		return
	}
	p, err := c.Package(r.Package)
	switch {
	case err != nil:
		f.bad(at+".package", "%v", err)
	case p == v.Package:
		f.bad(at+".package", "%s requires itself; remove it", p.Name)
	case !slices.ContainsFunc(p.Versions, func(v *Version) bool { return r.Admits(v.Version) }):
		f.bad(at+".constraint", "no version of %s is in the range %q; known: %s", p.Name, r.Constraint, strings.Join(versionNames(p), ", "))
	case c.Published(v) && !r.Optional && c.newest(r) == nil:
		f.bad(at+".package", "%s is published, but no version of %s in the range %q; publish one in %s", v.ID(), p.Name, r.Constraint, RepositoryFile)
	}
}

// newest is the newest published version of a package that satisfies all
// needs of it, or nil.
func (c *Catalog) newest(needs ...Requirement) *Version {
	p, err := c.Package(needs[0].Package)
	if err != nil {
		return nil
	}
	for _, v := range slices.Backward(p.Versions) {
		refuses := func(r Requirement) bool { return !r.Admits(v.Version) }
		if c.Published(v) && !slices.ContainsFunc(needs, refuses) {
			return v
		}
	}
	return nil
}

// cycles finds packages that need each other, whatever the versions: there
// would be no order to install them in. Each cycle is told once, where it
// closes.
func (l *loader) cycles(c *Catalog) {
	done := map[*Package]bool{}
	var visit func(p *Package, trail []*Package)
	visit = func(p *Package, trail []*Package) {
		trail = append(trail, p)
		for _, v := range p.Versions {
			for i, r := range v.Requires {
				need, err := c.Package(r.Package)
				if err != nil || need == p {
					continue // told elsewhere
				}
				if begin := slices.Index(trail, need); begin >= 0 {
					l.cycle(v, i, append(slices.Clone(trail[begin:]), need))
				} else if !done[need] {
					visit(need, trail)
				}
			}
		}
		done[p] = true
	}
	for _, p := range c.Packages {
		if !done[p] {
			visit(p, nil)
		}
	}
}

func (l *loader) cycle(v *Version, i int, packages []*Package) {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	f := newFile(path.Join(l.relative(v.Dir), VersionFile))
	f.lines = v.lines
	f.bad(fmt.Sprintf("requires[%d].package", i), "a dependency cycle: %s; remove one of these dependencies", strings.Join(names, " requires "))
	l.problems = append(l.problems, f.sorted()...)
}
