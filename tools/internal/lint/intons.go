package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkIntoNs refuses a Package that has kapp put everything into one
// namespace (intoNs) while its objects belong to several. A RoleBinding in
// kube-system that an API server needs then lands elsewhere, and what it grants
// is missing.
func checkIntoNs(s *subject) []Finding { return intoNs(s.packageCR, s.final) }

func intoNs(packageCR map[string]any, objects []manifest.Object) []Finding {
	namespaces := map[string]bool{}
	for _, o := range objects {
		if o.GetNamespace() != "" {
			namespaces[o.GetNamespace()] = true
		}
	}
	target := intoNsTarget(packageCR)
	if target == "" || len(namespaces) < 2 {
		return nil
	}
	return []Finding{{
		Object:  "Package",
		Message: fmt.Sprintf("kapp puts all objects into %s, but they are for %s", target, strings.Join(slices.Sorted(maps.Keys(namespaces)), ", ")),
		Remedy:  "remove intoNs from the deploy step and set namespaces by an overlay",
	}}
}

// intoNsTarget finds intoNs of a deploy step, or the flag that does the same.
func intoNsTarget(packageCR map[string]any) (target string) {
	walk(packageCR, func(l leaf) {
		deploy := strings.Contains(l.path, ".deploy[")
		if deploy && (l.key == "intoNs" || l.key == "--into-ns") && l.value != "--into-ns" {
			target = l.value
		}
	})
	return target
}
