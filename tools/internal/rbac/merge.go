package rbac

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Merge makes one list of several, each the objects of one account: a role that
// stands in more than one of them grants what all of these grant. So an account
// gets what a move between two versions needs.
func Merge(lists ...[]manifest.Object) ([]manifest.Object, error) {
	var merged []manifest.Object
	for _, o := range slices.Concat(lists...) {
		at := slices.IndexFunc(merged, func(m manifest.Object) bool { return m.ID() == o.ID() })
		if at < 0 {
			merged = append(merged, o)
			continue
		}
		if !isRole(o) {
			continue
		}
		both, err := joined(merged[at], o)
		if err != nil {
			return nil, err
		}
		merged[at] = both
	}
	return merged, nil
}

// joined is the first role with the rules of both.
func joined(a, b manifest.Object) (manifest.Object, error) {
	var policy []rbacv1.PolicyRule
	for _, o := range []manifest.Object{a, b} {
		r, err := read[role](o)
		if err != nil {
			return a, err
		}
		policy = append(policy, r.Rules...)
	}
	made, err := objects([]any{&rbacv1.Role{TypeMeta: kind(a.GetAPIVersion(), a.GetKind()), Rules: expand(policy).Policy()}})
	if err != nil {
		return a, err
	}
	made[0].Object["metadata"] = a.Object["metadata"]
	return made[0], nil
}
