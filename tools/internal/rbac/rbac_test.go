package rbac_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-helpers/auth/rbac/validation"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

const boat = `
kind: Namespace
apiVersion: v1
metadata: {name: harbour}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: boat, namespace: harbour}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: harbour}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: fish.sea.test
  annotations: {kapp.k14s.io/delete-strategy: orphan}
spec: {group: sea.test, names: {kind: Fish, plural: fish}}
---
apiVersion: sea.test/v1
kind: Fish
metadata: {name: cod, namespace: harbour}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: captain}
rules:
- {apiGroups: [sea.test], resources: ['*'], verbs: [get, list]}
- {apiGroups: [sea.test], resources: [fish], verbs: [get, update]}
- {apiGroups: [''], resources: [namespaces], resourceNames: [harbour], verbs: [get]}
- {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: captain}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: captain}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-reader}
`

func parse(t *testing.T, text string) []manifest.Object {
	t.Helper()
	var list []manifest.Object
	for doc := range strings.SplitSeq(text, "\n---\n") {
		var content map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(doc), &content))
		list = append(list, manifest.Object{Unstructured: &unstructured.Unstructured{Object: content}})
	}
	return list
}

func derive(t *testing.T, text string) rbac.Rights {
	t.Helper()
	rights, err := rbac.Derive(parse(t, text), "harbour")
	require.NoError(t, err)
	return rights
}

var harbour = rbac.Place{Namespace: rbac.ThisNamespace}

func TestDeriveLimitsToNamesWhatCanBe(t *testing.T) {
	in := derive(t, boat).In[harbour]
	for _, verb := range []string{"get", "update", "delete"} {
		require.Contains(t, in, rbac.Rule{Resource: "secrets", Name: "key", Verb: verb})
		require.NotContains(t, in, rbac.Rule{Resource: "secrets", Verb: verb})
	}
	for _, verb := range []string{"create", "list"} {
		require.Contains(t, in, rbac.Rule{Resource: "secrets", Verb: verb})
	}
	require.Contains(t, in, rbac.Rule{Group: "apps", Resource: "replicasets", Verb: "list"}, "kapp tells what a Deployment waits for")
	require.Contains(t, in, rbac.Rule{Group: "sea.test", Resource: "fish", Name: "cod", Verb: "get"}, "a CRD among the objects knows its plural")
	for _, rule := range derive(t, boat).In[rbac.Place{}] {
		require.NotEqual(t, "secrets", rule.Resource, "secrets are open in their namespace alone")
	}
}

func TestDeriveKnowsHowKappDeletes(t *testing.T) {
	cluster := derive(t, boat).In[rbac.Place{}]
	crds := func(verb string) rbac.Rule {
		return rbac.Rule{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions", Name: "fish.sea.test", Verb: verb}
	}
	require.Contains(t, cluster, crds("patch"))
	require.NotContains(t, cluster, crds("delete"), "what outlives the package is not deleted")
}

func TestDeriveMakesNoNamespace(t *testing.T) {
	rights := derive(t, boat)
	require.Equal(t, []string{rbac.ThisNamespace}, rights.Namespaces)
	cluster := rights.In[rbac.Place{}]
	require.Contains(t, cluster, rbac.Rule{Resource: "namespaces", Name: rbac.ThisNamespace, Verb: "delete"})
	require.NotContains(t, cluster, rbac.Rule{Resource: "namespaces", Verb: "create"}, "roles stand in it before kapp comes")
}

func TestDeriveHoldsWhatRolesGrant(t *testing.T) {
	rights := derive(t, boat)
	held := rights.In[rbac.Place{Held: true}]
	require.Contains(t, held, rbac.Rule{URL: "/metrics", Verb: "get"})
	require.Contains(t, held, rbac.Rule{Resource: "namespaces", Name: rbac.ThisNamespace, Verb: "get"})
	require.NotContains(t, held, rbac.Rule{Group: "sea.test", Resource: "fish", Verb: "get"}, "get of * covers it")
	require.Contains(t, held, rbac.Rule{Group: "sea.test", Resource: "fish", Verb: "update"})
	for place, rules := range rights.In {
		for _, rule := range rules {
			require.False(t, !place.Held && (rule.Group == "*" || rule.Resource == "*" || rule.Verb == "*"), "kapp needs no wildcard: %v", rule)
		}
	}
}

func TestDeriveBindsByNameWhatIsNotMade(t *testing.T) {
	rights := derive(t, boat)
	bind := rbac.Rule{Group: "rbac.authorization.k8s.io", Resource: "roles", Name: "extension-reader", Verb: "bind"}
	require.Contains(t, rights.In[rbac.Place{Namespace: "kube-system"}], bind)
	for _, rule := range rights.In[rbac.Place{}] {
		require.NotContains(t, []string{"bind", "escalate"}, rule.Verb, "rules of its own roles are held")
	}
}

func TestDeriveEscalatesForGatheredRulesAlone(t *testing.T) {
	in := derive(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}`).In[rbac.Place{}]
	require.Contains(t, in, rbac.Rule{Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Verb: "escalate"})
	require.Contains(t, in, rbac.Rule{Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Name: "all", Verb: "bind"})
}

func TestDeriveKnowsNoNameOfWhatIsVersioned(t *testing.T) {
	in := derive(t, `
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: harbour, annotations: {kapp.k14s.io/versioned: ''}}`).In[harbour]
	require.Contains(t, in, rbac.Rule{Resource: "configmaps", Verb: "delete"})
}

func TestDeriveRefusesWhatItCannotKnow(t *testing.T) {
	for text, want := range map[string]string{
		"kind: X": "without kind or name",
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x}\nroleRef: {kind: Rolle, name: z}": `binds a "Rolle"`,
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: x}\nrules: [1]":                             "deriving the permissions for",
	} {
		_, err := rbac.Derive(parse(t, text), "")
		require.ErrorContains(t, err, want)
	}
}

// The order of objects and the parts in which they come change nothing.
func TestDeriveIsDeterministic(t *testing.T) {
	objects := parse(t, boat)
	want := derive(t, boat)
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		random.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		got, err := rbac.Derive(objects, "harbour")
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, want, rbac.Union(got, want, got))
	}
}

// Put together and taken apart, any rules grant what they granted.
func TestPolicyGrantsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for range 300 {
		var rules rbac.Rules
		var single []rbacv1.PolicyRule
		for range 1 + random.IntN(25) {
			r := rbac.Rule{Group: pick("", "apps", "*"), Resource: pick("pods", "pods/log", "*/log", "*", "jobs"), Name: pick("", "a", "b"), Verb: pick("get", "list", "*")}
			if random.IntN(8) == 0 {
				r = rbac.Rule{URL: pick("/a", "/b"), Verb: pick("get", "*")}
			}
			rules = append(rules, r)
			single = append(single, rbac.Rules{r}.Policy()...)
		}
		policy := rules.Policy()
		ok, less := validation.Covers(policy, single)
		require.True(t, ok, "lost: %v\nof %v\nin %v", less, rules, policy)
		ok, more := validation.Covers(single, policy)
		require.True(t, ok, "gained: %v\nfrom %v\nin %v", more, rules, policy)
		random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		require.Equal(t, policy, rules.Policy())
		require.LessOrEqual(t, len(policy), len(rules))
	}
}

func TestObjectsNameTheAccountOnly(t *testing.T) {
	account := rbac.Account{Name: "installer", Namespace: "packages", Install: "boat", PackageNamespace: "harbour"}
	list, err := derive(t, boat).Objects(account)
	require.NoError(t, err)
	require.Equal(t, "Namespace harbour", list[0].GetKind()+" "+list[0].GetName())
	require.Equal(t, "ServiceAccount", list[1].GetKind())
	seen := map[string]bool{}
	for _, o := range list {
		require.False(t, seen[o.ID()], "%s stands there twice", o.ID())
		seen[o.ID()] = true
		if strings.HasSuffix(o.GetKind(), "Binding") {
			var binding rbacv1.ClusterRoleBinding
			require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &binding))
			require.Equal(t, []rbacv1.Subject{{Kind: "ServiceAccount", Name: "installer", Namespace: "packages"}}, binding.Subjects)
			require.Equal(t, o.GetName(), binding.RoleRef.Name)
		}
	}
}

// An install may stand in the namespace of its package.
func TestObjectsOfOneNamespaceDoNotCollide(t *testing.T) {
	rights := derive(t, boat).Generalized([]string{"kube-system"})
	list, err := rights.Objects(rbac.Account{
		Name: "installer", Namespace: "kube-system", Install: "boat", PackageNamespace: "kube-system", OtherNamespaces: []string{"kube-system"},
	})
	require.NoError(t, err)
	var ids []string
	for _, o := range list {
		ids = append(ids, o.ID())
	}
	slices.Sort(ids)
	require.Equal(t, slices.Compact(slices.Clone(ids)), ids)
}

func TestMerge(t *testing.T) {
	older, err := derive(t, boat).Objects(rbac.Account{Name: "i", Namespace: "n", Install: "boat", PackageNamespace: "harbour"})
	require.NoError(t, err)
	newer, err := derive(t, strings.Replace(boat, "name: key", "name: pin", 1)).Objects(rbac.Account{Name: "i", Namespace: "n", Install: "boat", PackageNamespace: "harbour"})
	require.NoError(t, err)
	both, err := rbac.Merge(older, newer)
	require.NoError(t, err)
	require.Len(t, both, len(older))
	for _, list := range [][]manifest.Object{older, newer} {
		for i, o := range list {
			ok, missing := validation.Covers(policyOf(t, both[i]), policyOf(t, o))
			require.True(t, ok, "%v", missing)
		}
	}
	require.NotEqual(t, both, older)
}

func policyOf(t *testing.T, o manifest.Object) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.ClusterRole
	if strings.HasSuffix(o.GetKind(), "Role") {
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role))
	}
	return role.Rules
}

// TestLibraryLimitsNamespaces: of the namespaces that an account is given, a profile may
// be granted in some only.
func TestLibraryLimitsNamespaces(t *testing.T) {
	rights := rbac.Rights{In: map[rbac.Place]rbac.Rules{{Namespace: rbac.NamedNamespace}: {{Resource: "pods", Verb: "get"}}}}
	for expression, want := range map[string]string{
		"":                        "#@ for other_namespace in other_namespaces:\n",
		"values.watch.namespaces": "#@ for other_namespace in [name for name in other_namespaces if name in list(values.watch.namespaces)]:\n",
	} {
		lib, err := rbac.Library("boat", []rbac.Profile{{Name: "some", When: "values.watch", Namespaces: expression, Rights: rights}})
		require.NoError(t, err)
		require.Contains(t, string(lib), "#@ if values.watch:\n"+want)
	}
}
