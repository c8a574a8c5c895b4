package lint

import "github.com/strake-dev/strake/tools/internal/manifest"

// checkConflicts refuses an object that makes each install a second longer, or more.
// kapp creates an object and then updates it with its record of what it applied. If
// somebody else has written in between, the update is a conflict, and kapp v0.66 tries
// again after a fixed second (recordAppliedResource in
// pkg/kapp/clusterapply/add_or_update_change.go), while all that comes later waits.
// A CRD that is too large for a record has none anyway; it is asked to say so, too,
// since the next version's may be smaller.
func checkConflicts(s *subject) []Finding { return conflicts(s.final) }

func conflicts(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		if writtenAtOnce(o) && !unrecordedByChoice(o) {
			findings = append(findings, at(o, "Kubernetes changes this object before kapp has recorded it, which delays an install by a second or more",
				"give it the annotation "+disableOriginal+` with the value ""`))
		}
	}
	return findings
}

// writtenAtOnce is true of kinds that Kubernetes writes into as soon as an object of
// theirs is there, on an idle cluster as on a busy one: the names and conditions of
// CRDs, the pods that a budget or a quota counts. Kinds that it writes into now and
// then before kapp are not among them, since giving up kapp's record has its price,
// too: whoever runs `kubectl rollout restart` on a Deployment without it is undone.
func writtenAtOnce(o manifest.Object) bool {
	switch o.GroupVersionKind().GroupKind().String() {
	case "PodDisruptionBudget.policy", "ResourceQuota":
		return true
	default:
		return isCRD(o)
	}
}
