// Package lint judges what the stages make of a package version, as a cluster
// would see it, and refuses what works on the day of the first install and
// bites later: images that no lock covers, kapp rules that hit more than they
// say, values that nobody explains, keys that a chart makes anew each time.
//
// It must not make or change anything, and knows no package by name. A rule is
// a pure function in a file of its own, with the reason above it.
//
// Start reading at [Run]; rules.go lists the rules.
package lint

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Finding is one thing that a rule refuses.
type Finding struct {
	// Rule is the rule's name, such as "unlocked-image".
	Rule string `json:"rule"`
	// Package and Version are where it was found. Version is empty for what
	// all versions of a package share, and both are for what all packages share.
	Package string `json:"package"`
	Version string `json:"version,omitempty"`
	// Object names the object or the value: "Deployment.apps keda/keda-operator".
	Object string `json:"object,omitempty"`
	// File is a slash path, below the checkout or within the version's upstream
	// sources; Line counts from 1. Both are empty where nobody can tell.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Message says what is wrong and why it matters; Remedy is the way out.
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// String is the finding in one line: FILE:LINE: PACKAGE@VERSION OBJECT: MESSAGE; REMEDY (RULE).
func (f Finding) String() string {
	place, where := f.File, f.Package
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	if f.Version != "" {
		where += "@" + f.Version
	}
	if f.Object != "" {
		where += " " + f.Object
	}
	message := fmt.Sprintf("%s; %s (%s)", f.Message, f.Remedy, f.Rule)
	parts := slices.DeleteFunc([]string{place, where, message}, func(part string) bool { return part == "" })
	return strings.Join(parts, ": ")
}

// Run applies all rules to the versions and answers with what they refuse,
// sorted by package, version, file and line, each finding once. An error means
// that a version could not be judged, not that it is bad.
func Run(ctx context.Context, c *catalog.Catalog, versions []*catalog.Version) ([]Finding, error) {
	subjects, err := gatherAll(ctx, c, versions)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	known := definitions{c, map[*catalog.Version]kinds{}}
	for _, s := range subjects {
		if !slices.ContainsFunc(versions, func(v *catalog.Version) bool { return v.Dir == s.version.Dir }) {
			continue
		}
		if s.installed, err = known.before(ctx, s.version); err != nil {
			return nil, fmt.Errorf("linting %s: %w", s.version.ID(), err)
		}
		findings = append(findings, judge(s, shared)...)
	}
	if len(versions) == len(c.Versions()) {
		backups, err := sharedBackups(c)
		if err != nil {
			return nil, err
		}
		findings = append(findings, backups...)
	}
	return sorted(except(collect(c, versions), findings)), nil
}

// Rendered judges what a version renders to with other values than the defaults,
// which [Run] judges, by the rules that hold whatever the values are.
func Rendered(c *catalog.Catalog, v *catalog.Version, objects []manifest.Object) []Finding {
	exceptions := collect(c, []*catalog.Version{v})
	for _, e := range exceptions {
		e.judgeUnused = false
	}
	s := &subject{version: v, canonical: c.Repository.Canonical, final: objects}
	return sorted(except(exceptions, judge(s, always)))
}

// gatherAll answers with the versions and, since some rules compare, with those
// before them.
func gatherAll(ctx context.Context, c *catalog.Catalog, versions []*catalog.Version) ([]*subject, error) {
	var packages [][]*subject
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range c.Packages {
		last := slices.IndexFunc(versions, func(v *catalog.Version) bool { return v.Package == p })
		if last < 0 {
			continue
		}
		subjects := make([]*subject, len(p.Versions))
		packages = append(packages, subjects)
		for i, v := range p.Versions {
			group.Go(func() (err error) {
				if subjects[i], err = gather(ctx, c, v); err != nil {
					return fmt.Errorf("linting %s: %w", v.ID(), err)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, subjects := range packages {
		for i, s := range subjects {
			s.older = subjects[:i]
		}
	}
	return slices.Concat(packages...), nil
}

// judge applies rules to one version: those of the least scope and beyond.
func judge(s *subject, least scope) []Finding {
	var findings []Finding
	for _, r := range rules() {
		if r.scope < least {
			continue
		}
		for _, f := range r.check(s) {
			f.Rule, f.Package = r.name, s.version.Package.Name
			if r.scope != shared {
				f.Version = s.version.Version
			}
			findings = append(findings, f)
		}
	}
	return findings
}

func sorted(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Object, b.Object), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Remedy, b.Remedy))
	})
	return slices.Compact(findings)
}

// at is a finding about an object.
func at(o manifest.Object, message, remedy string) Finding {
	return Finding{Object: strings.TrimSpace(o.ID()), File: o.Origin.File, Line: o.Origin.Line, Message: message, Remedy: remedy}
}

// relative is a path as findings show it: below the checkout, with slashes.
func relative(root, path string) string {
	rel, err := filepath.Rel(root, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(rel)
}
