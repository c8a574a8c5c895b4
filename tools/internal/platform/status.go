package platform

import (
	"maps"
	"slices"
	"strings"

	"github.com/carvel-dev/semver/v4"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
)

// Runs returns the versions of a package that may run on the cluster, oldest first:
// those of which the workloads of the install have the images. Images that no version
// of the package has, such as one that a value names, tell nothing. It is the version
// that kapp-controller deploys where that is among them or where no image tells, and
// empty where the images are of several versions.
func Runs(c *catalog.Catalog, s install.Status) []string {
	p, err := c.Package(strings.TrimSuffix(s.Package, "."+c.Repository.Domain))
	if err != nil {
		return []string{s.Version}
	}
	ofPackage := map[string]bool{}
	for _, v := range p.Versions {
		maps.Copy(ofPackage, digests(v))
	}
	running := slices.DeleteFunc(slices.Clone(s.Images), func(digest string) bool { return !ofPackage[digest] })
	var candidates []string
	for _, v := range p.Versions {
		has := digests(v)
		if !slices.ContainsFunc(running, func(digest string) bool { return !has[digest] }) {
			candidates = append(candidates, v.Version)
		}
	}
	if len(running) == 0 || slices.Contains(candidates, s.Version) {
		return []string{s.Version}
	}
	return candidates
}

// digests are those by which workloads may name the images of a version.
func digests(v *catalog.Version) map[string]bool {
	found := map[string]bool{}
	if v.Images == nil {
		return found
	}
	for _, image := range v.Images.Images {
		found[image.Digest] = true
		for _, p := range image.Platforms {
			found[p.Digest] = true
		}
	}
	return found
}

// Newer returns the newest of the offered versions that is newer than a version, or
// nothing. Pre-releases are newer only for what is a pre-release itself.
func Newer(version string, offered []string) string {
	current, err := semver.Parse(version)
	if err != nil {
		return ""
	}
	best, newest := current, ""
	for _, text := range offered {
		v, err := semver.Parse(text)
		if err == nil && v.GT(best) && (len(v.Pre) == 0 || len(current.Pre) > 0) {
			best, newest = v, text
		}
	}
	return newest
}
