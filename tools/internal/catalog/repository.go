package catalog

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/carvel-dev/semver/v4"

	"github.com/strake-dev/strake/tools/internal/names"
)

const versionForm = "a semantic version such as 2.21.0 or 2.21.0+strake.2"

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	// A package's full name must have three parts, so the domain has two.
	dnsDomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$`)
	ociPath   = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	ociHost   = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]+)?$`)
)

func parseRepository(f *file, data []byte) (r Repository) {
	f.decode(data, &r)
	if f.has("domain") && !dnsDomain.MatchString(r.Domain) {
		f.bad("domain", "%q is not a DNS domain of two or more lower-case parts", r.Domain)
	}
	if f.has("canonical") {
		checkOCIRepository(f, "canonical", r.Canonical)
	}
	checkSemver(f, "version", r.Version)
	for i, mirror := range r.ImagesFrom {
		field := fmt.Sprintf("imagesFrom[%d]", i)
		if slices.Index(r.ImagesFrom, mirror) < i {
			f.bad(field, "%q is listed twice", mirror)
		}
		checkOCIRepository(f, field, mirror)
	}
	return r
}

func checkOCIRepository(f *file, field, ref string) {
	if fault := repositoryFault(ref); fault != "" {
		f.bad(field, "%q %s; write HOST/PATH alone", ref, fault)
	}
}

// repositoryFault says what keeps ref from being HOST/PATH, or nothing.
func repositoryFault(ref string) string {
	host, rest, _ := strings.Cut(ref, "/")
	_, tag, tagged := strings.Cut(rest, ":")
	switch {
	case strings.Contains(ref, "://"):
		return "begins with a scheme"
	case strings.Contains(ref, "@"):
		return "names a digest"
	case tagged:
		return fmt.Sprintf("names the tag %q", tag)
	case !ociHost.MatchString(host) || !strings.ContainsAny(host, ".:") && host != "localhost":
		return "does not begin with a registry host"
	case !ociPath.MatchString(rest):
		return "has no path of lower-case words after its host"
	}
	return ""
}

// checkSemver notes a version that is not one; a missing field is noted elsewhere.
func checkSemver(f *file, field, version string) {
	if !f.has(field) || version == "" {
		return
	}
	if _, err := semver.Parse(version); err != nil {
		f.bad(field, "%s %q is not %s: %v", field, version, versionForm, err)
	}
}

func checkPublished(f *file, r Repository, packages []*Package) {
	for name, versions := range r.Published {
		at := "published." + name
		i := slices.IndexFunc(packages, func(p *Package) bool { return filepath.Base(p.Dir) == name })
		if i < 0 {
			f.bad(at, "package %q is not in %s/; %s", name, packagesDir, names.Hint(name, packageNames(packages)))
			continue
		}
		checkPublishedVersions(f, at, packages[i], versions)
	}
}

func checkBootstrap(f *file, r Repository, packages []*Package) {
	own := map[string]string{}
	for i, name := range r.Bootstrap {
		own[fmt.Sprintf("bootstrap[%d]", i)] = name
	}
	if r.Storage != "" {
		own["storage"] = r.Storage
	}
	if name := r.Platform; name != "" && !slices.ContainsFunc(packages, func(p *Package) bool { return filepath.Base(p.Dir) == name }) {
		f.bad("platform", "package %q is not in %s/; %s", name, packagesDir, names.Hint(name, packageNames(packages)))
	}
	for at, name := range own {
		switch {
		case !slices.ContainsFunc(packages, func(p *Package) bool { return filepath.Base(p.Dir) == name }):
			f.bad(at, "package %q is not in %s/; %s", name, packagesDir, names.Hint(name, packageNames(packages)))
		case len(r.Published[name]) > 0:
			f.bad(at, "%s is published, so it is installed from the repository; name it in one of the two lists", name)
		}
	}
}

func checkPublishedVersions(f *file, at string, p *Package, versions []string) {
	for i, version := range versions {
		field := fmt.Sprintf("%s[%d]", at, i)
		if slices.Index(versions, version) < i {
			f.bad(field, "version %q is listed twice", version)
		}
		if version != "" && !slices.ContainsFunc(p.Versions, func(v *Version) bool { return filepath.Base(v.Dir) == version }) {
			f.bad(field, "%s has no version %q; %s", p.Name, version, versionHint(version, p))
		}
	}
}

func packageNames(packages []*Package) []string {
	var list []string
	for _, p := range packages {
		list = append(list, p.Name)
	}
	return list
}

func versionNames(p *Package) []string {
	var list []string
	for _, v := range p.Versions {
		list = append(list, cmp.Or(v.Version, filepath.Base(v.Dir)))
	}
	return list
}

// versionHint has the nearest version and all of them: they are few, and may
// be near one another by letters and far apart otherwise.
func versionHint(version string, p *Package) string {
	known := versionNames(p)
	all := "known: " + strings.Join(known, ", ")
	if near := names.Near(version, known); len(near) > 0 && len(known) > len(near) {
		return names.Hint(version, known) + " (" + all + ")"
	}
	return all
}
