package lint

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

const versionLabel = "app.kubernetes.io/version"

// checkVersionLabels refuses a version label that names no version of what is in
// the package. The manifests in a module are those of its development: they say
// "devel" where a release's say its version, and whoever looks at a cluster for
// what runs there is told nothing, or what is not so.
func checkVersionLabels(s *subject) []Finding { return versionLabels(s.version, s.final) }

func versionLabels(v *catalog.Version, objects []manifest.Object) []Finding {
	known := []string{v.Version, v.Upstream}
	for _, part := range v.Includes {
		known = append(known, part.Version)
	}
	var findings []Finding
	for _, o := range objects {
		for _, path := range [][]string{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
			labels, _, _ := unstructured.NestedStringMap(o.Object, path...)
			label, found := labels[versionLabel]
			if found && !slices.Contains(known, strings.TrimPrefix(label, "v")) {
				findings = append(findings, at(o, fmt.Sprintf("%s is %q, but the package contains %s", versionLabel, label, strings.Join(slices.Compact(known), ", ")),
					"set it by an overlay from upstream of /package.star"))
			}
		}
	}
	return findings
}
