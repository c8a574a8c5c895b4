package environment

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

// RuleMissingRight is for what the account that installs a package may not do,
// though the package's objects need it, and RuleExcessRight for what it may do though
// they do not, if that escalates or the values of the platform give it.
const (
	RuleMissingRight = "missing-right"
	RuleExcessRight  = "excess-right"
)

// policies are rules by namespace; those under [rbac.Cluster] hold everywhere.
type policies map[string][]rbacv1.PolicyRule

// rights compares what the objects of each package need with what those of the
// platform, which comes first, grant its account. An error means that it could not
// be told.
func rights(packages []Package, environment string) ([]Finding, error) {
	if len(packages) == 0 {
		return nil, nil
	}
	platform, all := packages[0], ownersOf(Stored(packages))
	var findings []Finding
	for _, p := range packages[1:] {
		if p.Objects == nil {
			continue // it does not render, which is a finding
		}
		// Of what another package renders, too, it is no right that is missing.
		needed, err := neededBy(p, all.ofOne(p))
		if err != nil {
			return nil, err
		}
		wanted, err := neededBy(p, named(p.Objects))
		if err != nil {
			return nil, err
		}
		granted, bound, err := grantedTo(p.Installer, platform.Objects)
		if err != nil {
			return nil, err
		}
		for _, namespace := range slices.Sorted(maps.Keys(needed)) {
			owned := slices.Concat(granted[rbac.Cluster], granted[namespace])
			_, missing := validation.Covers(owned, needed[namespace])
			for _, rule := range rbac.Compact(missing) {
				findings = append(findings, missingRight(p, namespace, rule, environment))
			}
		}
		unneeded, err := excess(p, bound, wanted, environment)
		if err != nil {
			return nil, err
		}
		findings = append(findings, unneeded...)
	}
	return findings, nil
}

// excess are the rules of an account that escalate though no object of the package needs
// them, and those that packages.NAME.rights gives in vain.
func excess(p Package, roles []manifest.Object, needed policies, environment string) ([]Finding, error) {
	unneeded := policies{}
	scope, own := rbac.ScopeOf(p.Objects), ownNamespace(p, roles)
	for _, o := range roles {
		role, err := typed[rbacv1.Role](o)
		if err != nil {
			return nil, err
		}
		place := rbac.Place{Namespace: role.Namespace, Held: rbac.IsHeld(o)}
		if role.Namespace != rbac.Cluster && role.Namespace == own {
			place.Namespace = rbac.ThisNamespace
		}
		suspects, use := scope.Policy(place, role.Rules), slices.Concat(needed[rbac.Cluster], needed[role.Namespace])
		if strings.HasSuffix(role.Name, ":"+p.Installer.Name+":rights") {
			suspects, use = role.Rules, ofAnyName(use) // the platform's values give them, with names or without
		}
		_, rules := validation.Covers(use, suspects)
		unneeded[role.Namespace] = append(unneeded[role.Namespace], rules...)
	}
	var findings []Finding
	for _, namespace := range slices.Sorted(maps.Keys(unneeded)) {
		for _, rule := range rbac.Compact(unneeded[namespace]) {
			findings = append(findings, excessRight(p, namespace, rule, environment))
		}
	}
	return findings, nil
}

// ofAnyName are the rules without the names that limit them.
func ofAnyName(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	wider := slices.Clone(rules)
	for i := range wider {
		wider[i].ResourceNames = nil
	}
	return wider
}

// ownNamespace is the namespace of the package; roles in it are named so.
func ownNamespace(p Package, roles []manifest.Object) string {
	name := p.Installer.Namespace + ":" + p.Installer.Name + ":package"
	for _, o := range roles {
		if isA(o, "Role") && strings.HasPrefix(o.GetName(), name) {
			return o.GetNamespace()
		}
	}
	return ""
}

// neededBy are the rights that installing exactly these objects needs, with kapp's
// record of them.
func neededBy(p Package, objects []manifest.Object) (policies, error) {
	stored, _ := bundle.Split(objects)
	derived, err := rbac.Derive(stored, "") // namespaces by their names
	if err != nil {
		return nil, err
	}
	roles, err := derived.Objects(p.Installer)
	if err != nil {
		return nil, err
	}
	needed := policies{}
	for _, o := range roles {
		if isA(o, "Role") || isA(o, "ClusterRole") {
			role, err := typed[rbacv1.Role](o)
			if err != nil {
				return nil, err
			}
			needed[role.Namespace] = append(needed[role.Namespace], role.Rules...)
		}
	}
	return needed, nil
}

// grantedTo are the rules of the roles among the objects that are bound to an account,
// and these roles.
func grantedTo(account rbac.Account, objects []manifest.Object) (policies, []manifest.Object, error) {
	roles := map[string]manifest.Object{}
	for _, o := range objects {
		if isA(o, "Role") || isA(o, "ClusterRole") {
			roles[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = o
		}
	}
	granted, bound := policies{}, []manifest.Object{}
	for _, o := range objects {
		if !isA(o, "RoleBinding") && !isA(o, "ClusterRoleBinding") {
			continue
		}
		binding, err := typed[rbacv1.RoleBinding](o)
		if err != nil {
			return nil, nil, err
		}
		in := ""
		if binding.RoleRef.Kind == "Role" {
			in = binding.Namespace
		}
		role, found := roles[binding.RoleRef.Kind+" "+in+"/"+binding.RoleRef.Name]
		if !found || !slices.ContainsFunc(binding.Subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Name == account.Name && s.Namespace == account.Namespace
		}) {
			continue
		}
		rules, err := typed[rbacv1.Role](role)
		if err != nil {
			return nil, nil, err
		}
		granted[binding.Namespace] = append(granted[binding.Namespace], rules.Rules...)
		bound = append(bound, role)
	}
	return granted, bound, nil
}

func isA(o manifest.Object, kind string) bool {
	return o.GetKind() == kind && o.GroupVersionKind().Group == rbacv1.GroupName
}

func typed[T any](o manifest.Object) (T, error) {
	var into T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &into); err != nil {
		return into, fmt.Errorf("reading %s: %w", o.ID(), err)
	}
	return into, nil
}

func where(namespace string) string {
	if namespace == rbac.Cluster {
		return "in all namespaces"
	}
	return "in the namespace " + namespace
}

func missingRight(p Package, namespace string, rule rbacv1.PolicyRule, environment string) Finding {
	return Finding{p.Name(), subject(namespace, rule), RuleMissingRight, fmt.Sprintf(
		"the account %s may not %s this %s, which the package's objects require; add a rule to packages.%s.rights in config/%s/values.yml, or in config/base/values.yml",
		p.Installer.Name, strings.Join(rule.Verbs, ", "), where(namespace), p.Name(), environment)}
}

func excessRight(p Package, namespace string, rule rbacv1.PolicyRule, environment string) Finding {
	return Finding{p.Name(), subject(namespace, rule), RuleExcessRight, fmt.Sprintf(
		"the account %s may %s this %s, which no object of the package requires; remove the rule from packages.%s.rights in config/%s/values.yml or config/base/values.yml, or put it under a condition in packages/%s/permissions",
		p.Installer.Name, strings.Join(rule.Verbs, ", "), where(namespace), p.Name(), environment, p.Name())}
}

// subject is what a rule is about, as an object's ID has it:
// poddisruptionbudgets.policy keda/keda-operator, or */* where it names none.
func subject(namespace string, rule rbacv1.PolicyRule) string {
	if len(rule.NonResourceURLs) > 0 {
		return strings.Join(rule.NonResourceURLs, ",")
	}
	var resources []string
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			resources = append(resources, strings.TrimSuffix(resource+"."+group, "."))
		}
	}
	names := strings.Join(rule.ResourceNames, ",")
	if names == "" {
		names = "*"
	}
	if namespace != rbac.Cluster {
		names = namespace + "/" + names
	}
	return strings.Join(resources, ",") + " " + names
}
