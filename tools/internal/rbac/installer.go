package rbac

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Account says to whom rights are granted, and for which install.
type Account struct {
	// Name is the ServiceAccount's and Namespace that of the PackageInstall,
	// where the account is, too.
	Name, Namespace string
	// Install is the PackageInstall's name.
	Install string
	// PackageNamespace is the package's own, and OtherNamespaces are those that
	// the values name beside it.
	PackageNamespace string
	OtherNamespaces  []string
}

// Objects are the namespaces to be made first, the ServiceAccount, and a role
// with its binding for each place, in the order in which to apply them.
func (r Rights) Objects(a Account) ([]manifest.Object, error) {
	var list []any
	for _, name := range r.Namespaces {
		list = append(list, a.packageNamespace(name))
	}
	list = append(list, a.serviceAccount())
	list = append(list, a.grants(a.Namespace, "record", whyRecord, a.record())...)
	return objects(append(list, a.roles(r, "", Place.why)...))
}

// roles are a role with its binding for each place. Their names end with the suffix.
func (a Account) roles(r Rights, suffix string, why func(Place) string) []any {
	var list []any
	for _, place := range r.Places() {
		for _, namespace := range a.resolved(place.Namespace) {
			list = append(list, a.grants(namespace, place.part()+suffix, why(place), a.resolve(r.In[place].Policy()))...)
		}
	}
	return list
}

// What a person reads beside a role.
const (
	whyRecord = "Permissions on the ConfigMap in which kapp records the install."
	whyKapp   = "Permissions of kapp to create, update and delete the objects of the package."
	whyHeld   = "Permissions of the roles that the package creates. RBAC requires their creator to have them."
)

func (p Place) why() string {
	if p.Held {
		return whyHeld
	}
	return whyKapp
}

// part tells the roles of one account in one namespace apart, if places turn out
// to be the same namespace.
func (p Place) part() string {
	part := "fixed"
	installed, isOf := strings.CutPrefix(p.Namespace, namespaceOf)
	switch p.Namespace {
	case Cluster:
		part = "cluster"
	case ThisNamespace:
		part = "package"
	case NamedNamespace:
		part = "other"
	}
	if isOf {
		part = "of-" + installed
	}
	if p.Held {
		part += heldSuffix
	}
	return part
}

// heldSuffix ends the part of a role's name that tells where it is.
const heldSuffix = "-held"

// IsHeld tells of a role of [Profile.Objects] whose rules are there only to be given.
func IsHeld(role manifest.Object) bool {
	parts := strings.Split(role.GetName(), ":") // namespace, account, part and profile
	return len(parts) > 2 && strings.HasSuffix(parts[2], heldSuffix)
}

// resolved are the namespaces that a place stands for.
func (a Account) resolved(place string) []string {
	if place == NamedNamespace {
		return a.OtherNamespaces
	}
	return []string{a.at(place)}
}

// at is the namespace that a place stands for.
func (a Account) at(place string) string {
	if place == ThisNamespace {
		return a.PackageNamespace
	}
	return place
}

// resolve gives the package's namespace its name where rules name it.
func (a Account) resolve(policy []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	for i, rule := range policy {
		names := slices.Clone(rule.ResourceNames)
		for j, name := range names {
			names[j] = strings.ReplaceAll(name, ThisNamespace, a.PackageNamespace)
		}
		policy[i].ResourceNames = names
	}
	return policy
}

// record are the rights on kapp's record of an install, a ConfigMap of which
// kapp tries two spellings after looking for two older ones. Deleting an install,
// kapp also lists the records of its changes, of which our packages keep none.
func (a Account) record() []rbacv1.PolicyRule {
	var rules Rules
	grant := func(verb string, names ...string) {
		for _, name := range names {
			rules = append(rules, Rule{Resource: "configmaps", Verb: verb, Name: name})
		}
	}
	current := []string{a.Install + ".app", a.Install + ".app.apps.k14s.io"}
	grant("get", append(current, a.Install+"-ctrl", a.Install+"-ctrl.apps.k14s.io")...)
	grant("update", current...)
	grant("delete", current...)
	grant("create", "")
	grant("list", "")
	return rules.Policy()
}

// roleName is what roles and bindings of the account are called: a ClusterRole's
// name must tell accounts of all namespaces apart.
func (a Account) roleName(part string) string {
	return strings.Join([]string{a.Namespace, a.Name, part}, ":")
}

func (a Account) serviceAccount() *corev1.ServiceAccount {
	return &corev1.ServiceAccount{TypeMeta: kind("v1", "ServiceAccount"), ObjectMeta: metav1.ObjectMeta{Name: a.Name, Namespace: a.Namespace}}
}

func (a Account) subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: a.Name, Namespace: a.Namespace}}
}

// grants are a role and its binding, for all namespaces where none is given.
func (a Account) grants(namespace, part, why string, policy []rbacv1.PolicyRule) []any {
	name := metav1.ObjectMeta{Name: a.roleName(part), Namespace: namespace}
	described := name
	described.Annotations = map[string]string{"kubernetes.io/description": why}
	ofRole, ofBinding := plainRole, "RoleBinding"
	if namespace == Cluster {
		ofRole, ofBinding = clusterRole, "ClusterRoleBinding"
	}
	return []any{
		&rbacv1.Role{TypeMeta: kind(rbacv1.SchemeGroupVersion.String(), ofRole), ObjectMeta: described, Rules: policy},
		&rbacv1.RoleBinding{
			TypeMeta: kind(rbacv1.SchemeGroupVersion.String(), ofBinding), ObjectMeta: name, Subjects: a.subjects(),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: ofRole, Name: name.Name},
		},
	}
}

// NamespaceAnnotation marks a namespace that is created for the roles in it, before the
// package to which it belongs. packages/_common/namespace.star reads it.
const NamespaceAnnotation = "strake.dev/namespace-of"

// packageNamespace is a namespace that the package creates, for the roles in it.
func (a Account) packageNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{TypeMeta: kind("v1", "Namespace"), ObjectMeta: metav1.ObjectMeta{
		Name: a.at(name), Annotations: map[string]string{NamespaceAnnotation: a.Install},
	}}
}

func kind(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

// objects drops what the typed objects print though nothing is set.
func objects(list []any) ([]manifest.Object, error) {
	made := make([]manifest.Object, 0, len(list))
	for _, typed := range list {
		text, err := json.Marshal(typed)
		if err != nil {
			return nil, fmt.Errorf("encoding the permissions: %w", err)
		}
		o := &unstructured.Unstructured{}
		if err := json.Unmarshal(text, &o.Object); err != nil {
			return nil, fmt.Errorf("encoding the permissions: %w", err)
		}
		for _, field := range []string{"spec", "status"} {
			unstructured.RemoveNestedField(o.Object, field)
		}
		unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
		made = append(made, manifest.Object{Unstructured: o})
	}
	return made, nil
}
