package environment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/apivalidate"
	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// The rules of [Check] beside those of [Validate].
const (
	// RuleRender is for values that a schema refuses, and overlays that match
	// nothing, or too much, or cannot be run.
	RuleRender = "render"
	// RuleNeed is for what a package requires and no package of the environment is.
	RuleNeed = "need"
	// RuleVersion is for a package that the platform did not validate: a cluster of the
	// environment selects another version than the platform.
	RuleVersion = "version"
)

// Check renders an environment and says all that is wrong with it: packages that
// do not render, needs that nothing fulfils, objects that are named and not there, rights
// that the accounts of packages lack, and what [Validate] finds in the others. What comes
// before the platform, kapp-controller for one, counts as there. An error means that it
// could not be judged.
func Check(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, api *API, server *apivalidate.Validator) (*Report, error) {
	packages, findings, err := renderEach(ctx, c, e)
	if err != nil {
		return nil, err
	}
	bootstrap, err := bootstrapObjects(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := api.Define(bootstrap); err != nil {
		return nil, err
	}
	if err := api.Allow(e.APIs); err != nil {
		return nil, err
	}
	stored := Stored(packages)
	found, err := Validate(ctx, stored, api, Options{
		Registry: cmp.Or(e.Registry, c.Repository.Canonical), Registries: e.Registries, Server: server,
	})
	if err != nil {
		return nil, err
	}
	lacking, err := rights(packages, e.Name)
	if err != nil {
		return nil, err
	}
	unmet, err := needs(ctx, c, e, packages)
	if err != nil {
		return nil, err
	}
	missing, err := missingObjects(e, packages, bootstrap)
	if err != nil {
		return nil, err
	}
	r := &Report{Packages: len(stored), Findings: slices.Concat(findings, unmet, otherVersions(c.Repository, packages), missing, lacking, found)}
	for _, objects := range stored {
		r.Objects += len(objects)
	}
	sortFindings(r.Findings)
	return r, nil
}

// Report is what [Check] looked at and found.
type Report struct {
	// Packages and Objects are how many were rendered.
	Packages, Objects int
	// Findings are sorted by package and object.
	Findings []Finding
}

// renderEach renders what can be rendered, and has a finding for each package
// that cannot. Where that is the platform nothing else can be told.
func renderEach(ctx context.Context, c *catalog.Catalog, e *catalog.Environment) ([]Package, []Finding, error) {
	platform, err := c.Platform()
	if err != nil {
		return nil, nil, err
	}
	top, err := Render(ctx, c, e, platform.Package.Name)
	if err != nil {
		return nil, unrendered(platform, err), ctx.Err()
	}
	installed, err := installs(c, e, top[0].Objects)
	if err != nil {
		return top, unrendered(platform, err), nil
	}
	errs := make([]error, len(installed))
	each(len(installed), func(i int) { errs[i] = installed[i].render(ctx, c, e) })
	var findings []Finding
	for i, p := range installed {
		if errs[i] != nil {
			findings = append(findings, unrendered(p.Version, errs[i])...)
		}
		top = append(top, p)
	}
	return top, findings, ctx.Err()
}

// unrendered has a finding for each error in a user's file, or one for what else kept
// a package from being rendered.
func unrendered(v *catalog.Version, err error) []Finding {
	for below := err; below != nil; below = errors.Unwrap(below) {
		err = below                                           // the innermost, without what was being done to what
		if _, explained := below.(*inputs.Error); explained { //nolint:errorlint // it stands where the loop is
			break
		}
	}
	var findings []Finding
	for _, one := range parts(err) {
		findings = append(findings, Finding{v.Package.Name, "(values and overlays)", RuleRender, strings.TrimSpace(one.Error())})
	}
	return findings
}

// parts are the errors that [errors.Join] put together.
func parts(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}

// needs are those that no package of the environment is, or not in the range. An optional
// one counts if the values of the package meet its condition. What others provide
// fulfils any.
func needs(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, packages []Package) ([]Finding, error) {
	var findings []Finding
	for _, p := range packages {
		wanted, err := wanted(ctx, c, p)
		if err != nil {
			return nil, err
		}
		for i, r := range p.Version.Requires {
			at := slices.IndexFunc(packages, func(other Package) bool { return other.Name() == r.Package })
			if at < 0 && (!wanted[i] || slices.Contains(e.APIs, r.API)) || at >= 0 && r.Admits(packages[at].Version.Version) {
				continue
			}
			has := "which is not installed"
			if at >= 0 {
				has = "which is installed in " + packages[at].Version.Version
			}
			findings = append(findings, Finding{p.Name(), "(version " + p.Version.Version + ")", RuleNeed,
				fmt.Sprintf("requires %s %s (%s), %s", r.Package, r.Constraint, strings.TrimSpace(r.Reason), has)})
		}
	}
	return findings, nil
}

// otherVersions are the packages of which clusters of the environment select another
// version than the platform, which comes first.
func otherVersions(repo catalog.Repository, packages []Package) []Finding {
	var findings []Finding
	for i, p := range packages {
		if i == 0 {
			continue
		}
		validated := validatedVersion(repo, packages[0].Version.Installed(), p)
		if validated == "" || validated == p.Version.Version {
			continue
		}
		findings = append(findings, Finding{p.Name(), "(version " + p.Version.Version + ")", RuleVersion, fmt.Sprintf(
			"clusters of the environment install this version, but %s validates the values with the schema of %s, and grants the permissions of that; set packages.%s.version to exactly one version",
			packages[0].Name(), validated, p.Name())})
	}
	return findings
}

// validatedVersion is the version that the platform selects for a package, among those
// that it contains and whatever Kubernetes a cluster runs; empty if it contains none.
func validatedVersion(repo catalog.Repository, installed []*catalog.Version, p Package) string {
	selected := ""
	for _, named := range installed {
		if named.Package.Name != p.Name() {
			continue
		}
		for _, v := range append(repo.Older(named), named) { // oldest first
			if (catalog.Requirement{Constraint: p.Range}).Admits(v.Version) {
				selected = v.Version
			}
		}
	}
	return selected
}

// wanted tells of each need of a package whether its values have it.
func wanted(ctx context.Context, c *catalog.Catalog, p Package) ([]bool, error) {
	all := make([]bool, len(p.Version.Requires))
	var conditions []string
	for i, r := range p.Version.Requires {
		all[i] = !r.Optional
		if r.When != "" {
			conditions = append(conditions, r.When)
		}
	}
	if len(conditions) == 0 || p.Objects == nil { // what does not render has a finding
		return all, nil
	}
	b, err := repository.BuildVersion(ctx, c, p.Version, repository.Options{})
	if err != nil {
		return nil, err
	}
	holds, err := bundle.Holds(ctx, b, p.Values, conditions)
	if err != nil {
		return nil, err
	}
	for i, r := range p.Version.Requires {
		if r.When != "" {
			all[i], holds = holds[0], holds[1:]
		}
	}
	return all, nil
}

// bootstrapObjects are those of what comes before the platform, with default values.
func bootstrapObjects(ctx context.Context, c *catalog.Catalog) ([]manifest.Object, error) {
	var all []manifest.Object
	for _, name := range c.Repository.Bootstrap {
		p, err := c.Package(name)
		if err != nil {
			return nil, err
		}
		objects, err := repository.Render(ctx, c, p.Versions[len(p.Versions)-1], nil, bundle.RenderOptions{})
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}
