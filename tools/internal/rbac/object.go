package rbac

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Annotations by which an object tells kapp how to treat it; see
// https://carvel.dev/kapp/docs/latest/apply/.
const (
	deleteStrategy = "kapp.k14s.io/delete-strategy"
	versioned      = "kapp.k14s.io/versioned"
	// namedByContent is ours, of objects that are made under another name when
	// their content changes.
	namedByContent = "strake.dev/named-by-content"
)

// rendered are, for a kind that others come from, what kapp lists while it
// waits, to tell what a workload waits for.
func rendered(gk schema.GroupKind) []Rule {
	list := func(group, resource string) Rule { return Rule{Group: group, Resource: resource, Verb: "list"} }
	switch gk {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		return []Rule{list("apps", "replicasets"), list("", "pods")}
	case schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
		return []Rule{list("", "persistentvolumeclaims"), list("", "pods")}
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return []Rule{list("batch", "jobs"), list("", "pods")}
	}
	return nil
}

// object grants what kapp does with one object.
func (d *deriver) object(o manifest.Object) error {
	gvk := o.GroupVersionKind()
	if gvk.Kind == "" || o.GetName() == "" {
		return fmt.Errorf("deriving the permissions for %s: an object without kind or name", o.ID())
	}
	place := Place{Namespace: d.own(o.GetNamespace())}
	resource, name := d.kinds.resource(gvk), d.ownName(o.GetName())
	if isNamespace(gvk) {
		name = d.own(name)
		d.rights.Namespaces = append(d.rights.Namespaces, name)
	}
	for _, verb := range verbs(o) {
		rule := Rule{Group: gvk.Group, Resource: resource, Verb: verb, Name: name}
		if verb == "create" || verb == "list" || isVersioned(o) {
			rule.Name = "" // cannot be limited to a name
		}
		d.grant(place, rule)
	}
	d.grant(place, rendered(gvk.GroupKind())...)
	return d.escalation(o, place)
}

// verbs are what kapp does with an object. One that outlives its package is not
// deleted: kapp takes its label off with a patch. A namespace is there already
// when kapp comes.
func verbs(o manifest.Object) []string {
	all := []string{"list", "get", "update"}
	if !isNamespace(o.GroupVersionKind()) {
		all = append(all, "create")
	}
	if o.GetAnnotations()[deleteStrategy] == "orphan" {
		return append(all, "patch")
	}
	return append(all, "delete")
}

// isVersioned tells of objects that have a new name whenever they change, given by
// kapp or by their package, so that no name is known.
func isVersioned(o manifest.Object) bool {
	_, byKapp := o.GetAnnotations()[versioned]
	_, byPackage := o.GetAnnotations()[namedByContent]
	return byKapp || byPackage
}

func isNamespace(gvk schema.GroupVersionKind) bool {
	return gvk.Group == "" && gvk.Kind == "Namespace"
}
