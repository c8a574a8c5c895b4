// Package rbac derives the rights that installing, upgrading and deleting a
// package needs from the objects that it renders to: a service account with
// exactly these is what kapp-controller installs with, in the place of a
// cluster-admin.
//
// What is granted follows from what kapp asks of the API server:
//
//   - It reads each object before and after it changes it, and creates, updates
//     and deletes it. Reading, updating and deleting can be limited to the
//     object's name; creating cannot, since a request to create names none.
//   - It finds the objects of an install again by a label, with a list over each
//     kind. RBAC cannot limit a list to a label or a name, so it is granted
//     whole: of namespaced kinds only in the namespaces where the package has
//     objects of that kind, where kapp falls back to when it may not list all.
//   - It keeps its record of an install in a ConfigMap beside the PackageInstall.
//   - Who creates a Role must hold what it grants, and who binds one must hold it
//     or have the verb bind for it. Rights of roles that the package makes are
//     held; others are bound by name.
//
// The package is pure: objects in, rights out, the same for the same objects in
// any order. It knows no package by name, no bundle and no cluster. Start reading
// at [Derive]; object.go has the rules of one object, escalation.go those of
// roles, and installer.go makes a ServiceAccount, Roles and bindings of rights.
package rbac

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Places in which rights are granted, beside namespaces by their names. No
// namespace can be called so.
const (
	// ThisNamespace stands for the namespace that the package is installed into.
	ThisNamespace = "STRAKE_PACKAGE_NAMESPACE"
	// NamedNamespace stands for each namespace that a user names in the values,
	// beside the package's own.
	NamedNamespace = "STRAKE_OTHER_NAMESPACE"
	// Cluster stands for objects without a namespace, and for all namespaces.
	Cluster = ""
)

// Place is where rights are granted, and why.
type Place struct {
	// Namespace is [Cluster], a namespace, or one that is a parameter.
	Namespace string
	// Held is true of rights that are there only to be given: those of roles
	// that the package makes. They stand by themselves, since they are the
	// package's choice and not kapp's need.
	Held bool
}

// Rights are what may be done where.
type Rights struct {
	// In holds the rules by place.
	In map[Place]Rules
	// Namespaces are those that the package makes. Whoever grants the rights
	// makes them first, since Roles are to stand in them.
	Namespaces []string
}

// Derive gives the rights that an install with these objects needs, kapp's own
// record aside, which is every install's. The namespace is the package's own: it
// becomes [ThisNamespace], so that the rights hold for any other, too.
func Derive(objects []manifest.Object, namespace string) (Rights, error) {
	d := deriver{rights: Rights{In: map[Place]Rules{}}, kinds: kindsOf(objects), namespace: namespace}
	d.made = d.madeRoles(objects)
	for _, o := range objects {
		if err := d.object(o); err != nil {
			return Rights{}, err
		}
	}
	// kapp looks into each namespace that it may list, and otherwise only into
	// those of the last change: what a change left behind that failed halfway
	// would be forgotten.
	d.grant(Place{Namespace: Cluster}, Rule{Resource: "namespaces", Verb: "list"})
	for place, rules := range d.rights.In {
		d.rights.In[place] = rules.normalized()
	}
	return d.rights, nil
}

// Union are the rights of all of these together.
func Union(all ...Rights) Rights {
	sum := Rights{In: map[Place]Rules{}}
	for _, r := range all {
		for place, rules := range r.In {
			sum.In[place] = append(sum.In[place], rules...)
		}
		sum.Namespaces = append(sum.Namespaces, r.Namespaces...)
	}
	for place, rules := range sum.In {
		sum.In[place] = rules.normalized()
	}
	slices.Sort(sum.Namespaces)
	sum.Namespaces = slices.Compact(sum.Namespaces)
	return sum
}

// Generalized are the rights with every namespace that is neither the package's
// own nor among the fixed ones as a parameter: values chose it, and whoever grants
// the rights has made it.
func (r Rights) Generalized(fixed []string) Rights {
	fixed = slices.Concat(fixed, []string{Cluster, ThisNamespace})
	general := Rights{In: map[Place]Rules{}}
	for _, name := range r.Namespaces {
		if slices.Contains(fixed, name) {
			general.Namespaces = append(general.Namespaces, name)
		}
	}
	for place, rules := range r.In {
		if !slices.Contains(fixed, place.Namespace) {
			place.Namespace = NamedNamespace
		}
		general.In[place] = append(general.In[place], rules...)
	}
	return Union(general)
}

// Places are where rights are granted, sorted.
func (r Rights) Places() []Place {
	return slices.SortedFunc(maps.Keys(r.In), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.part(), b.part()))
	})
}

// InNamespaces are the namespaces of all places, sorted.
func (r Rights) InNamespaces() []string {
	var names []string
	for _, place := range r.Places() {
		names = append(names, place.Namespace)
	}
	return slices.Compact(names)
}

// deriver gathers the rights of the objects of one package.
type deriver struct {
	rights    Rights
	kinds     kinds
	namespace string
	// made are the roles among the objects, with their rules.
	made map[roleKey]role
}

// own is [ThisNamespace] for the package's namespace, and any other name itself.
func (d *deriver) own(namespace string) string {
	if namespace != "" && namespace == d.namespace {
		return ThisNamespace
	}
	return namespace
}

// ownName makes the name of an account's role, NAMESPACE:ACCOUNT:PART, hold for any other
// namespace of the package.
func (d *deriver) ownName(name string) string {
	if rest, ok := strings.CutPrefix(name, d.namespace+":"); ok && strings.Contains(rest, ":") {
		return ThisNamespace + ":" + rest
	}
	return name
}

func (d *deriver) grant(place Place, rules ...Rule) {
	d.rights.In[place] = append(d.rights.In[place], rules...)
}
