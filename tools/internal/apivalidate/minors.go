package apivalidate

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Minors returns the minor versions of Kubernetes that have modules, such as 1.34, the
// oldest first.
func Minors() []string {
	names, _ := fs.Glob(sources, modulesDir+"/*.mod") // the pattern is valid
	var minors []string
	for _, name := range names {
		minors = append(minors, strings.TrimSuffix(path.Base(name), ".mod"))
	}
	slices.SortFunc(minors, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	return minors
}

// nearest returns which of minor versions, sorted, is nearest to a release: the older one
// of two, whose rules an upgraded cluster has had already.
func nearest(minors []string, release string) (string, error) {
	wanted := number(release)
	if wanted < 0 || len(minors) == 0 {
		return "", fmt.Errorf("%q is not a version of Kubernetes, such as 1.34.4", release)
	}
	return slices.MinFunc(minors, func(a, b string) int {
		return cmp.Compare(distance(number(a), wanted), distance(number(b), wanted))
	}), nil
}

func distance(a, b int) int { return max(a, b) - min(a, b) }

// number is the second number of a version, or -1.
func number(version string) int {
	var major, minor int
	if _, err := fmt.Sscanf(strings.TrimPrefix(version, "v"), "%d.%d", &major, &minor); err != nil {
		return -1
	}
	return minor
}
