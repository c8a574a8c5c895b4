package rbac_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/strake-dev/strake/tools/internal/rbac"
)

func TestEscalates(t *testing.T) {
	const rbacGroup, admission, crds = "rbac.authorization.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io"
	everywhere, home, other := rbac.Place{Held: true}, rbac.Place{Namespace: rbac.ThisNamespace, Held: true}, rbac.Place{Namespace: "kube-system", Held: true}
	scope := rbac.ScopeOf(parse(t, boat))
	for name, test := range map[string]struct {
		place rbac.Place
		rule  rbac.Rule
		want  string // a part of the reason; empty for what does not escalate
	}{
		"tokens":                    {home, rbac.Rule{Resource: "serviceaccounts/token", Verb: "create"}, "tokens"},
		"tokens of one account":     {home, rbac.Rule{Resource: "serviceaccounts/token", Name: "x", Verb: "create"}, "tokens"},
		"service accounts":          {home, rbac.Rule{Resource: "serviceaccounts", Verb: "create"}, ""},
		"bind by name":              {other, rbac.Rule{Group: rbacGroup, Resource: "roles", Name: "x", Verb: "bind"}, "binds"},
		"escalate":                  {everywhere, rbac.Rule{Group: rbacGroup, Resource: "clusterroles", Verb: "escalate"}, "any permissions"},
		"create roles":              {everywhere, rbac.Rule{Group: rbacGroup, Resource: "clusterroles", Verb: "create"}, ""},
		"impersonate":               {everywhere, rbac.Rule{Resource: "users", Verb: "impersonate"}, "impersonates"},
		"all verbs":                 {home, rbac.Rule{Group: "sea.test", Resource: "fish", Verb: "*"}, "wildcard"},
		"all subresources":          {home, rbac.Rule{Group: "apps", Resource: "*/scale", Verb: "get"}, "wildcard"},
		"all groups":                {home, rbac.Rule{Group: "*", Resource: "fish", Verb: "get"}, "wildcard"},
		"secrets everywhere":        {everywhere, rbac.Rule{Resource: "secrets", Verb: "list"}, "secrets"},
		"a secret everywhere":       {everywhere, rbac.Rule{Resource: "secrets", Name: "x", Verb: "get"}, ""},
		"secrets elsewhere":         {other, rbac.Rule{Resource: "secrets", Verb: "list"}, "of other namespaces"},
		"secrets created elsewhere": {rbac.Place{Namespace: rbac.NamedNamespace}, rbac.Rule{Resource: "secrets", Verb: "create"}, "of other namespaces"},
		"a secret elsewhere":        {other, rbac.Rule{Resource: "secrets", Name: "x", Verb: "get"}, ""},
		"secrets of its Namespace":  {rbac.Place{Namespace: "harbour"}, rbac.Rule{Resource: "secrets", Verb: "list"}, ""},
		"secrets at home":           {home, rbac.Rule{Resource: "secrets", Verb: "list"}, ""},
		"pods at home":              {home, rbac.Rule{Resource: "pods", Verb: "create"}, ""},
		"pods of its Namespace":     {rbac.Place{Namespace: "harbour"}, rbac.Rule{Resource: "pods", Verb: "create"}, ""},
		"pods elsewhere":            {other, rbac.Rule{Resource: "pods", Verb: "create"}, "runs pods"},
		"jobs of namespaces named":  {rbac.Place{Namespace: rbac.NamedNamespace}, rbac.Rule{Group: "batch", Resource: "jobs", Verb: "create"}, "runs pods"},
		"deployments are read":      {everywhere, rbac.Rule{Group: "apps", Resource: "deployments", Verb: "list"}, ""},
		"a group of others":         {everywhere, rbac.Rule{Group: "sea.test", Resource: "jobs", Verb: "create"}, ""},
		"exec":                      {everywhere, rbac.Rule{Resource: "pods/exec", Verb: "create"}, "running pods"},
		"ephemeral containers":      {everywhere, rbac.Rule{Resource: "pods/ephemeralcontainers", Verb: "patch"}, "running pods"},
		"kubelets":                  {everywhere, rbac.Rule{Resource: "nodes/proxy", Verb: "get"}, "kubelets"},
		"nodes":                     {everywhere, rbac.Rule{Resource: "nodes", Verb: "get"}, ""},
		"approval":                  {everywhere, rbac.Rule{Group: "certificates.k8s.io", Resource: "certificatesigningrequests/approval", Verb: "update"}, "approves"},
		"signers":                   {everywhere, rbac.Rule{Group: "certificates.k8s.io", Resource: "signers", Name: "x", Verb: "sign"}, "signs"},
		"webhooks":                  {everywhere, rbac.Rule{Group: admission, Resource: "validatingwebhookconfigurations", Verb: "patch"}, "webhooks"},
		"webhooks are watched":      {everywhere, rbac.Rule{Group: admission, Resource: "validatingwebhookconfigurations", Verb: "watch"}, ""},
		"its own CRD":               {everywhere, rbac.Rule{Group: crds, Resource: "customresourcedefinitions", Name: "fish.sea.test", Verb: "patch"}, ""},
		"another CRD":               {everywhere, rbac.Rule{Group: crds, Resource: "customresourcedefinitions", Name: "crew.sea.test", Verb: "patch"}, "webhooks"},
		"kapp creates CRDs":         {rbac.Place{}, rbac.Rule{Group: crds, Resource: "customresourcedefinitions", Verb: "create"}, ""},
		"a path":                    {everywhere, rbac.Rule{URL: "/metrics", Verb: "get"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := scope.Escalates(test.place, test.rule)
			require.Equal(t, test.want != "", got != "", got)
			require.Contains(t, got, test.want)
		})
	}
}

func TestEscalating(t *testing.T) {
	rights, scope := derive(t, boat), rbac.ScopeOf(parse(t, boat))
	modest, escalating := rights.Escalating(scope)
	require.Equal(t, rights, rbac.Union(modest, escalating))
	require.Empty(t, modest.Escalations(scope))
	require.Equal(t, []string{
		"binds roles: bind roles.rbac.authorization.k8s.io extension-reader in kube-system",
		"has a wildcard: get *.sea.test in all namespaces", "has a wildcard: list *.sea.test in all namespaces",
	}, escalating.Escalations(scope))
	require.Equal(t, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes/proxy"}, Verbs: []string{"get"}}},
		scope.Policy(rbac.Place{}, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes/proxy", "nodes"}, Verbs: []string{"get"}}}))
}

func TestWithout(t *testing.T) {
	rights := derive(t, boat)
	require.True(t, rights.Without(rights).Empty())
	require.True(t, rbac.Rights{}.Empty())
	secret := rbac.Rule{Resource: "secrets", Name: "key", Verb: "get"}
	one := rbac.Rights{In: map[rbac.Place]rbac.Rules{harbour: {secret}}}
	held := rbac.Rights{In: map[rbac.Place]rbac.Rules{{Held: true}: {rbac.Rule{Resource: "secrets", Verb: "*"}}}}
	require.True(t, one.Without(held).Empty(), "all secrets of all namespaces include it")
	require.Equal(t, one, one.Without(rbac.Rights{}))
	kapps, given := rights.Held()
	require.Equal(t, rights, rbac.Union(kapps, given))
	for place := range given.In {
		require.True(t, place.Held)
	}
}

// The cache stores the profiles of a bundle as JSON.
func TestProfilesAreStored(t *testing.T) {
	profiles := []rbac.Profile{{Rights: derive(t, boat)}, {Name: "more", Reason: "For x.", When: "values.x", Rights: derive(t, boat)}}
	text, err := json.Marshal(profiles)
	require.NoError(t, err)
	var back []rbac.Profile
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, profiles, back)
}

func TestProfiles(t *testing.T) {
	reading := rbac.Rights{In: map[rbac.Place]rbac.Rules{{}: {{Resource: "nodes", Verb: "get"}}, {Namespace: rbac.NamedNamespace}: {{Resource: "pods", Verb: "get"}}}}
	nodes := rbac.Profile{Name: "read-nodes", Reason: "It reads nodes.", When: "values.nodes", Rights: reading}
	made, err := nodes.Objects(rbac.Account{Name: "i", Namespace: "n", Install: "boat", PackageNamespace: "harbour", OtherNamespaces: []string{"sea"}})
	require.NoError(t, err)
	var ids []string
	for _, o := range made {
		ids = append(ids, o.ID())
	}
	require.Equal(t, []string{
		"ClusterRole.rbac.authorization.k8s.io n:i:cluster:read-nodes", "ClusterRoleBinding.rbac.authorization.k8s.io n:i:cluster:read-nodes",
		"Role.rbac.authorization.k8s.io sea/n:i:other:read-nodes", "RoleBinding.rbac.authorization.k8s.io sea/n:i:other:read-nodes",
	}, ids)
	require.Equal(t, "It reads nodes. Granted if values.nodes.", made[0].GetAnnotations()["kubernetes.io/description"])

	older := nodes
	older.Rights = rbac.Rights{In: map[rbac.Place]rbac.Rules{{}: {{Resource: "nodes", Verb: "list"}}}}
	merged := rbac.MergeProfiles([]rbac.Profile{{Rights: derive(t, boat)}, nodes}, []rbac.Profile{{Rights: derive(t, boat)}, older, {Name: "gone"}})
	require.Len(t, merged, 3)
	require.Len(t, merged[1].Rights.In[rbac.Place{}], 2)

	lib, err := rbac.Library("boat", []rbac.Profile{{Rights: derive(t, boat)}, nodes})
	require.NoError(t, err)
	_, conditional, found := strings.Cut(string(lib), "#@ if values.nodes:\n")
	require.True(t, found, "%s", lib)
	require.Contains(t, conditional, "#@ for other_namespace in other_namespaces:")
}
