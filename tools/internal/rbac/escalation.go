package rbac

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

const (
	group       = rbacv1.GroupName
	clusterRole = "ClusterRole"
	plainRole   = "Role"
)

// pluralOf is the resource of a kind that a binding can name, empty for others.
func pluralOf(kind string) string {
	return map[string]string{clusterRole: "clusterroles", plainRole: "roles"}[kind]
}

// roleKey names a role; the namespace of a ClusterRole is empty.
type roleKey struct{ kind, namespace, name string }

// role is what matters of a Role or ClusterRole.
type role struct {
	Rules           []rbacv1.PolicyRule     `json:"rules"`
	AggregationRule *rbacv1.AggregationRule `json:"aggregationRule"`
}

// aggregated tells of a role whose rules the cluster fills in, from roles that
// anybody may add later.
func (r role) aggregated() bool {
	return r.AggregationRule != nil && len(r.AggregationRule.ClusterRoleSelectors) > 0
}

func (d *deriver) madeRoles(objects []manifest.Object) map[roleKey]role {
	made := map[roleKey]role{}
	for _, o := range objects {
		if isRole(o) {
			// What cannot be read is refused when its turn comes.
			r, _ := read[role](o)
			made[roleKey{o.GetKind(), o.GetNamespace(), o.GetName()}] = r
		}
	}
	return made
}

// escalation grants what the API server asks of whoever makes a role or a
// binding, so that nobody can give what he has not: see
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping.
func (d *deriver) escalation(o manifest.Object, place Place) error {
	switch {
	case isRole(o):
		return d.held(o, place)
	case isBinding(o):
		return d.bound(o, place)
	}
	return nil
}

// held grants a role's own rules, in the same place. Where the cluster fills
// them in, whoever creates it must hold everything or have escalate, and that
// cannot be limited to a name: a request to create names none.
func (d *deriver) held(o manifest.Object, place Place) error {
	r, err := read[role](o)
	if err != nil {
		return err
	}
	if r.aggregated() {
		d.grant(place, Rule{Group: group, Resource: pluralOf(clusterRole), Verb: "escalate"})
	}
	if len(r.Rules) > 0 {
		d.grant(Place{place.Namespace, true}, d.rename(expand(r.Rules))...)
	}
	return nil
}

// bound grants the verb bind for a role that the package does not make itself,
// or that holds what cannot be known.
func (d *deriver) bound(o manifest.Object, place Place) error {
	binding, err := read[struct {
		RoleRef rbacv1.RoleRef `json:"roleRef"`
	}](o)
	if err != nil {
		return err
	}
	ref := binding.RoleRef
	plural := pluralOf(ref.Kind)
	if plural == "" {
		return fmt.Errorf("deriving the permissions for %s: it binds a %q, which is no kind of role", o.ID(), ref.Kind)
	}
	key := roleKey{ref.Kind, "", ref.Name}
	if ref.Kind == plainRole {
		key.namespace = o.GetNamespace()
	}
	if made, ok := d.made[key]; ok && !made.aggregated() {
		return nil // held
	}
	d.grant(place, Rule{Group: group, Resource: plural, Verb: "bind", Name: ref.Name})
	return nil
}

// rename makes rules that name the package's namespace hold for any other.
func (d *deriver) rename(rules Rules) Rules {
	for i, r := range rules {
		if r.Resource == "namespaces" {
			rules[i].Name = d.own(r.Name)
		}
	}
	return rules
}

func isRole(o manifest.Object) bool {
	return o.GroupVersionKind().Group == group && pluralOf(o.GetKind()) != ""
}

func isBinding(o manifest.Object) bool {
	return o.GroupVersionKind().Group == group && pluralOf(o.GetKind()) == ""
}

func read[T any](o manifest.Object) (T, error) {
	var into T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &into); err != nil {
		return into, fmt.Errorf("deriving the permissions for %s: %w", o.ID(), err)
	}
	return into, nil
}
