package repository_test

import (
	"context"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

// covered compares the rights that exactly this case needs with those that its bundle
// ships for its values, put into the case's own namespaces: none may be missing, and
// none that escalates may be in excess.
func (r renderCase) covered(b *bundle.Bundle, objects []manifest.Object) {
	values := r.values()
	exact, err := bundle.RightsOf(b, objects, values, bundle.Account{Namespace: "packages"})
	require.NoError(r.t, err)
	account := bundle.Account{Namespace: "packages"}
	fixed := r.fixedNamespaces(b, values)
	for _, o := range exact {
		switch {
		case strings.HasSuffix(o.GetName(), ":package"):
			account.PackageNamespace = o.GetNamespace()
		case strings.HasSuffix(o.GetName(), ":fixed") && !slices.Contains(fixed, o.GetNamespace()):
			account.OtherNamespaces = append(account.OtherNamespaces, o.GetNamespace())
		}
	}
	shipped, err := bundle.ShippedRights(context.Background(), b, values, account)
	require.NoError(r.t, err)
	r.modest(shipped)
	granted, needed := granted(r, shipped), granted(r, exact)
	var lacking []rbacv1.PolicyRule
	for namespace, rules := range needed {
		_, missing := validation.Covers(slices.Concat(granted[rbac.Cluster], granted[namespace]), rules)
		lacking = append(lacking, missing...)
	}
	r.noExcess(account, shipped, needed, rbac.ScopeOf(objects))
	if r.text(ownRights) != "" {
		require.NotEmpty(r.t, lacking, "the permission profiles grant all that the case needs; remove its file %s", ownRights)
		return
	}
	require.Empty(r.t, lacking, "the permission profiles do not grant this; extend permissions/ of the package, or say in a file %s why they should not", ownRights)
}

// fixedNamespaces are those that nobody names to whoever grants the rights: kube-system,
// and those of packages that this one installs.
func (r renderCase) fixedNamespaces(b *bundle.Bundle, values []bundle.ValuesFile) []string {
	objects, err := bundle.ShippedRights(context.Background(), b, values, bundle.Account{Namespace: "packages"})
	require.NoError(r.t, err)
	var names []string
	for _, o := range objects {
		if strings.Contains(o.GetName(), ":fixed") || strings.Contains(o.GetName(), ":of-") {
			names = append(names, o.GetNamespace())
		}
	}
	return names
}

// ownRights is the file, with a reason in it, of a render case whose values need more
// than the permission profiles grant.
const ownRights = "own-rights"

func (r renderCase) noExcess(account bundle.Account, shipped []manifest.Object, needed map[string][]rbacv1.PolicyRule, scope rbac.Scope) {
	for _, o := range shipped {
		wanted := slices.Concat(needed[rbac.Cluster], needed[o.GetNamespace()])
		place := rbac.Place{Namespace: o.GetNamespace(), Held: rbac.IsHeld(o)}
		if place.Namespace == account.PackageNamespace && place.Namespace != "" {
			place.Namespace = rbac.ThisNamespace
		}
		_, excess := validation.Covers(wanted, scope.Policy(place, rulesOf(r, o)))
		require.Empty(r.t, rbac.Compact(excess), "in the namespace %q these escalate, and the values do not need them; put them under a condition in permissions/ of the package", o.GetNamespace())
	}
}

// modest holds what kapp itself is granted against what nobody wants to see. The
// roles that hold what the package's own roles grant are the package's matter. The
// secrets by which a package hands values on are called after their content, which
// nobody knows before.
func (r renderCase) modest(objects []manifest.Object) {
	for _, o := range objects {
		if rbac.IsHeld(o) {
			continue
		}
		for _, rule := range rulesOf(r, o) {
			parts := slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs)
			require.NotContains(r.t, parts, "*", o.ID())
			require.False(r.t, o.GetKind() == "ClusterRole" && slices.Contains(rule.Resources, "secrets"), "secrets of all namespaces: %s", o.ID())
			handsOn := len(r.version.Installed()) > 0 && slices.Equal(rule.Resources, []string{"secrets"})
			all := len(rule.ResourceNames) == 0 && !handsOn
			for _, verb := range []string{"get", "update", "delete", "patch", "bind"} {
				require.False(r.t, all && slices.Contains(rule.Verbs, verb), "%s of any name: %v", verb, rule)
			}
		}
	}
}

// granted are the rules of all roles by namespace; those of all namespaces count
// in each.
func granted(r renderCase, objects []manifest.Object) map[string][]rbacv1.PolicyRule {
	rules := map[string][]rbacv1.PolicyRule{}
	for _, o := range objects {
		rules[o.GetNamespace()] = append(rules[o.GetNamespace()], rulesOf(r, o)...)
	}
	return rules
}

func rulesOf(r renderCase, o manifest.Object) []rbacv1.PolicyRule {
	if kind := o.GetKind(); kind != "Role" && kind != "ClusterRole" {
		return nil
	}
	var role rbacv1.ClusterRole
	require.NoError(r.t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role))
	return role.Rules
}
