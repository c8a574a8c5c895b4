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
		// Of what another package renders, too, it is no right that is missing.
		needed, err := neededBy(p, all.ofOne(p))
		if err != nil {
			return nil, err
		}
		wanted, err := neededBy(p, named(p.Objects))
		if err != nil {
			return nil, err
		}
		granted, err := grantedTo(p.Installer, platform.Objects)
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
		findings = append(findings, excess(p, platform.Objects, granted, wanted, environment)...)
	}
	return findings, nil
}

// excess are the rules of an account that escalate though no object of the package needs
// them, and those that packages.NAME.rights gives in vain.
func excess(p Package, platform []manifest.Object, granted, needed policies, environment string) []Finding {
	var findings []Finding
	scope, own := rbac.ScopeOf(p.Objects), ownNamespace(p, platform)
	for _, namespace := range slices.Sorted(maps.Keys(granted)) {
		place := rbac.Place{Namespace: namespace, Held: true}
		if namespace != rbac.Cluster && namespace == own {
			place.Namespace = rbac.ThisNamespace
		}
		suspects := slices.Concat(scope.Policy(place, granted[namespace]), given(p, platform, namespace))
		_, unneeded := validation.Covers(slices.Concat(needed[rbac.Cluster], needed[namespace]), suspects)
		for _, rule := range rbac.Compact(unneeded) {
			findings = append(findings, excessRight(p, namespace, rule, environment))
		}
	}
	return findings
}

// ownNamespace is the namespace of the package; roles in it are named so.
func ownNamespace(p Package, platform []manifest.Object) string {
	name := p.Installer.Namespace + ":" + p.Installer.Name + ":package"
	for _, o := range platform {
		if isA(o, "Role") && strings.HasPrefix(o.GetName(), name) {
			return o.GetNamespace()
		}
	}
	return ""
}

// given are the rules that the platform's values give to the account beside its
// profiles: the platform names their role so.
func given(p Package, platform []manifest.Object, namespace string) []rbacv1.PolicyRule {
	name := p.Installer.Namespace + ":" + p.Installer.Name + ":rights"
	for _, o := range platform {
		if (isA(o, "Role") || isA(o, "ClusterRole")) && o.GetName() == name && o.GetNamespace() == namespace {
			role, err := typed[rbacv1.Role](o)
			if err == nil { // else it was refused before
				return role.Rules
			}
		}
	}
	return nil
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

// grantedTo are the rules of the roles among the objects that are bound to an account.
func grantedTo(account rbac.Account, objects []manifest.Object) (policies, error) {
	roles := map[string][]rbacv1.PolicyRule{}
	for _, o := range objects {
		if isA(o, "Role") || isA(o, "ClusterRole") {
			role, err := typed[rbacv1.Role](o)
			if err != nil {
				return nil, err
			}
			roles[o.GetKind()+" "+role.Namespace+"/"+role.Name] = role.Rules
		}
	}
	granted := policies{}
	for _, o := range objects {
		if !isA(o, "RoleBinding") && !isA(o, "ClusterRoleBinding") {
			continue
		}
		binding, err := typed[rbacv1.RoleBinding](o)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(binding.Subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Name == account.Name && s.Namespace == account.Namespace
		}) {
			continue
		}
		in := ""
		if binding.RoleRef.Kind == "Role" {
			in = binding.Namespace
		}
		granted[binding.Namespace] = append(granted[binding.Namespace], roles[binding.RoleRef.Kind+" "+in+"/"+binding.RoleRef.Name]...)
	}
	return granted, nil
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

func missingRight(p Package, namespace string, rule rbacv1.PolicyRule, environment string) Finding {
	where := "in the namespace " + namespace
	if namespace == rbac.Cluster {
		where = "in all namespaces"
	}
	return Finding{p.Name(), subject(namespace, rule), RuleMissingRight, fmt.Sprintf(
		"the account %s may not %s this %s, which the package's objects require; add a rule to packages.%s.rights in config/%s/values.yml, or in config/base/values.yml",
		p.Installer.Name, strings.Join(rule.Verbs, ", "), where, p.Name(), environment)}
}

func excessRight(p Package, namespace string, rule rbacv1.PolicyRule, environment string) Finding {
	where := "in the namespace " + namespace
	if namespace == rbac.Cluster {
		where = "in all namespaces"
	}
	return Finding{p.Name(), subject(namespace, rule), RuleExcessRight, fmt.Sprintf(
		"the account %s may %s this %s, which no object of the package requires; remove the rule from packages.%s.rights in config/%s/values.yml or config/base/values.yml, or put it under a condition in packages/%s/permissions",
		p.Installer.Name, strings.Join(rule.Verbs, ", "), where, p.Name(), environment, p.Name())}
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
