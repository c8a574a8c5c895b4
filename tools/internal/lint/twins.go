package lint

import (
	"cmp"
	"fmt"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkTwins refuses two objects with one identity: kapp refuses them where they
// differ, on the cluster, and where they do not, an overlay on one of them later makes
// them differ. An object without a namespace is in the one that intoNs names.
func checkTwins(s *subject) []Finding { return twins(s.final, intoNsTarget(s.packageCR)) }

func twins(objects []manifest.Object, intoNs string) []Finding {
	var findings []Finding
	first := map[manifest.Identity]manifest.Object{}
	for _, o := range objects {
		if isKappConfig(o) {
			continue // kapp reads them all, and applies none
		}
		id := o.Identity()
		id.Namespace = cmp.Or(id.Namespace, intoNs)
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
