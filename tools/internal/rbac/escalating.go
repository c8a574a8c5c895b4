package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// scope says where a permission of [escalations] escalates.
type scope int

const (
	_ scope = iota // anywhere
	// outside is everywhere but the namespaces that are the package's own.
	outside
	// clusterWide is in all namespaces.
	clusterWide
)

// escalation is a kind of permission by which an account can get more permissions than
// it was given. Empty lists match everything.
type escalation struct {
	why                       string
	groups, resources, verbs  []string
	scope                     scope
	unnamed, heldOnly, others bool
}

// escalations is the one table of what escalates. It follows
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks.
// Rules with a wildcard escalate, too; see [Scope.Escalates].
//
// unnamed rows match rules that are not limited to names. heldOnly rows do not match what
// kapp needs to create the objects of the package, since a request to create names none.
// others rows match only objects that are not the package's own.
func escalations() []escalation {
	return []escalation{
		{why: "creates tokens of service accounts", groups: []string{""}, resources: []string{"serviceaccounts/token"}, verbs: []string{"create"}},
		{why: "binds roles", groups: []string{group}, verbs: []string{"bind"}},
		{why: "creates roles with any permissions", groups: []string{group}, verbs: []string{"escalate"}},
		{why: "impersonates others", verbs: []string{"impersonate"}},
		{why: "reads or writes secrets of all namespaces", groups: []string{""}, resources: []string{"secrets"}, scope: clusterWide, unnamed: true},
		// Among them are tokens of service accounts and whatever else their owners can use.
		{why: "reads or writes secrets of other namespaces", groups: []string{""}, resources: []string{"secrets"}, scope: outside, unnamed: true},
		{
			why: "runs pods in other namespaces", groups: []string{"", "apps", "batch"}, verbs: []string{"create", "update", "patch"}, scope: outside, unnamed: true,
			resources: []string{"pods", "replicationcontrollers", "deployments", "daemonsets", "replicasets", "statefulsets", "jobs", "cronjobs"},
		},
		{
			why: "gets into running pods of other namespaces", groups: []string{""}, scope: outside, unnamed: true,
			resources: []string{"pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "pods/ephemeralcontainers"},
		},
		{why: "talks to the kubelets", groups: []string{""}, resources: []string{"nodes/proxy"}},
		{why: "mounts folders of nodes", groups: []string{""}, resources: []string{"persistentvolumes"}, verbs: []string{"create"}, unnamed: true},
		{why: "changes the Pod Security of namespaces", groups: []string{""}, resources: []string{"namespaces"}, verbs: []string{"update", "patch"}, unnamed: true},
		{why: "approves certificates", groups: []string{"certificates.k8s.io"}, resources: []string{"certificatesigningrequests/approval", "certificatesigningrequests/status"}, verbs: []string{"update", "patch"}},
		{why: "signs certificates", groups: []string{"certificates.k8s.io"}, resources: []string{"signers"}},
		{
			why: "changes webhooks, admission policies or APIs of others", verbs: []string{"create", "update", "patch", "delete", "deletecollection"},
			groups: []string{"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"}, heldOnly: true, others: true,
			resources: []string{
				"mutatingwebhookconfigurations", "validatingwebhookconfigurations", "customresourcedefinitions", "apiservices",
				"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
			},
		},
	}
}

// Scope tells which permissions escalate for an install with certain objects.
type Scope struct {
	own map[ownObject]bool
	// homes are the namespaces that the install makes.
	homes map[string]bool
}

// ownObject is an object of the package without a namespace, as a rule names it.
type ownObject struct{ group, resource, name string }

// ScopeOf is the scope of an install with these objects.
func ScopeOf(objects []manifest.Object) Scope {
	s := Scope{map[ownObject]bool{}, map[string]bool{}}
	known := kindsOf(objects)
	for _, o := range objects {
		if o.GetNamespace() == "" {
			gvk := o.GroupVersionKind()
			s.own[ownObject{gvk.Group, known.resource(gvk), o.GetName()}] = true
			s.homes[o.GetName()] = s.homes[o.GetName()] || isNamespace(gvk)
		}
	}
	return s
}

// Escalates says how a permission escalates; empty if it does not.
func (s Scope) Escalates(place Place, r Rule) string {
	if r.URL != "" {
		return ""
	}
	if slices.Contains([]string{r.Group, r.Resource, r.Verb}, rbacv1.ResourceAll) || strings.HasPrefix(r.Resource, "*/") {
		return "has a wildcard"
	}
	for _, e := range escalations() {
		if e.matches(r) && s.reaches(e, place, r) {
			return e.why
		}
	}
	return ""
}

func (e escalation) matches(r Rule) bool {
	in := func(list []string, one string) bool { return len(list) == 0 || slices.Contains(list, one) }
	return in(e.groups, r.Group) && in(e.resources, r.Resource) && in(e.verbs, r.Verb)
}

func (s Scope) reaches(e escalation, place Place, r Rule) bool {
	switch {
	case e.unnamed && r.Name != "", e.heldOnly && !place.Held:
		return false
	case e.others && s.own[ownObject{r.Group, r.Resource, r.Name}]:
		return false
	case e.scope == outside:
		return place.Namespace != ThisNamespace && !s.homes[place.Namespace]
	case e.scope == clusterWide:
		return place.Namespace == Cluster
	}
	return true
}

// Policy is the part of a policy that escalates in a place.
func (s Scope) Policy(place Place, policy []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	rules := slices.DeleteFunc(expand(policy), func(r Rule) bool { return s.Escalates(place, r) == "" })
	return rules.Policy()
}

// Escalating splits rights into those that do not escalate and those that do.
func (r Rights) Escalating(s Scope) (modest, escalating Rights) {
	modest, escalating = Rights{In: map[Place]Rules{}, Namespaces: r.Namespaces}, Rights{In: map[Place]Rules{}}
	for place, rules := range r.In {
		for _, rule := range rules {
			into := modest.In
			if s.Escalates(place, rule) != "" {
				into = escalating.In
			}
			into[place] = append(into[place], rule)
		}
	}
	return modest, escalating
}

// Escalations list what escalates of the rights, sorted, each as the reason and the
// permission: "talks to the kubelets: get nodes/proxy in all namespaces".
func (r Rights) Escalations(s Scope) []string {
	var list []string
	for _, place := range r.Places() {
		for _, rule := range r.In[place] {
			if why := s.Escalates(place, rule); why != "" {
				list = append(list, why+": "+rule.text(place))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// text is a rule in words: create deployments.apps in all namespaces.
func (r Rule) text(place Place) string {
	words := []string{r.Verb, strings.TrimSuffix(r.Resource+"."+r.Group, ".")}
	if r.Name != "" {
		words = append(words, r.Name)
	}
	switch place.Namespace {
	case Cluster:
		words = append(words, "in all namespaces")
	case ThisNamespace:
		words = append(words, "in the package's namespace")
	case NamedNamespace:
		words = append(words, "in namespaces that the values name")
	default:
		words = append(words, "in "+place.Namespace)
	}
	return strings.Join(words, " ")
}
