package lint

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkTwins refuses two objects with one identity: kapp refuses them where they
// differ, on the cluster, and where they do not, an overlay on one of them later makes
// them differ. An object without a namespace is in the one that intoNs names.
func checkTwins(s *subject) []Finding { return twins(s.final, intoNsTarget(s.packageCR)) }

// identity is how kapp tells objects apart. The version of an API is not part of it.
type identity struct {
	kind            schema.GroupKind
	namespace, name string
}

func twins(objects []manifest.Object, intoNs string) []Finding {
	var findings []Finding
	first := map[identity]manifest.Object{}
	for _, o := range objects {
		if isKappConfig(o) {
			continue // kapp reads them all, and applies none
		}
		id := identity{o.GroupVersionKind().GroupKind(), cmp.Or(o.GetNamespace(), intoNs), o.GetName()}
		other, found := first[id]
		if !found {
			first[id] = o
			continue
		}
		where := ""
		if other.Origin.File != "" {
			where = fmt.Sprintf(" (the first is at %s:%d)", other.Origin.File, other.Origin.Line)
		}
		findings = append(findings, at(o, "the package contains this object twice"+where+", and kapp deploys neither if they differ",
			"leave one of them out in vendir.yml or package.yml, or remove it by an overlay"))
	}
	return findings
}
