package rbac

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Rule is the smallest right: one verb on one resource, of one name or, where
// the name is empty, of any. For a path of the API server instead of a resource,
// URL is set and the others are not.
type Rule struct{ Group, Resource, Name, URL, Verb string }

// Rules are a set of rights.
type Rules []Rule

// expand takes rules apart.
func expand(policy []rbacv1.PolicyRule) Rules {
	var rules Rules
	for _, p := range policy {
		for _, verb := range p.Verbs {
			for _, url := range p.NonResourceURLs {
				rules = append(rules, Rule{URL: url, Verb: verb})
			}
			rules = append(rules, resourceRules(p, verb)...)
		}
	}
	return rules
}

func resourceRules(p rbacv1.PolicyRule, verb string) Rules {
	names := p.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var rules Rules
	for _, group := range p.APIGroups {
		for _, resource := range p.Resources {
			for _, name := range names {
				rules = append(rules, Rule{Group: group, Resource: resource, Name: name, Verb: verb})
			}
		}
	}
	return rules
}

// normalized is the same set sorted, without what is there twice and without
// what another rule of the set grants, too.
func (r Rules) normalized() Rules {
	sorted := slices.Clone(r)
	slices.SortFunc(sorted, compare)
	sorted = slices.Compact(sorted)
	set := map[Rule]bool{}
	for _, rule := range sorted {
		set[rule] = true
	}
	return slices.DeleteFunc(sorted, func(rule Rule) bool {
		return slices.ContainsFunc(wider(rule), func(w Rule) bool { return w != rule && set[w] })
	})
}

// wider are all rules that grant what this one does, itself included.
func wider(r Rule) []Rule {
	if r.URL != "" {
		return []Rule{r, {URL: r.URL, Verb: rbacv1.VerbAll}}
	}
	resources := []string{r.Resource, rbacv1.ResourceAll}
	if _, sub, ok := strings.Cut(r.Resource, "/"); ok {
		resources = append(resources, "*/"+sub)
	}
	var all []Rule
	for _, group := range []string{r.Group, rbacv1.APIGroupAll} {
		for _, resource := range resources {
			for _, name := range []string{r.Name, ""} {
				for _, verb := range []string{r.Verb, rbacv1.VerbAll} {
					all = append(all, Rule{Group: group, Resource: resource, Name: name, Verb: verb})
				}
			}
		}
	}
	return all
}

func compare(a, b Rule) int {
	return cmp.Or(cmp.Compare(a.URL, b.URL), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource),
		cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Name, b.Name))
}

// Policy puts the rules together again, as few and as readable as can be
// without granting more: one rule for all that has the same verbs and names.
func (r Rules) Policy() []rbacv1.PolicyRule {
	one := make([]rbacv1.PolicyRule, 0, len(r))
	for _, rule := range r.normalized() {
		one = append(one, rule.policy())
	}
	one = join(one, func(p *rbacv1.PolicyRule) *[]string { return &p.Verbs })
	one = join(one, func(p *rbacv1.PolicyRule) *[]string { return &p.ResourceNames })
	one = join(one, func(p *rbacv1.PolicyRule) *[]string { return &p.Resources })
	one = join(one, func(p *rbacv1.PolicyRule) *[]string { return &p.APIGroups })
	return join(one, func(p *rbacv1.PolicyRule) *[]string { return &p.NonResourceURLs })
}

// Compact are the same rights in as few rules as [Rules.Policy] makes of them.
func Compact(policy []rbacv1.PolicyRule) []rbacv1.PolicyRule { return expand(policy).Policy() }

func (r Rule) policy() rbacv1.PolicyRule {
	if r.URL != "" {
		return rbacv1.PolicyRule{NonResourceURLs: []string{r.URL}, Verbs: []string{r.Verb}}
	}
	p := rbacv1.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource}, Verbs: []string{r.Verb}}
	if r.Name != "" {
		p.ResourceNames = []string{r.Name}
	}
	return p
}

// join makes one rule of those that differ in one list alone, which then has the
// elements of all. A rule without that list stands for more than any with it,
// and stays by itself.
func join(rules []rbacv1.PolicyRule, list func(*rbacv1.PolicyRule) *[]string) []rbacv1.PolicyRule {
	groups := map[string]*rbacv1.PolicyRule{}
	elements := map[string][]string{}
	for _, rule := range rules {
		rest := rule
		*list(&rest) = nil
		key := text(rest)
		if len(*list(&rule)) == 0 {
			key = "all " + key
		}
		groups[key] = &rest
		elements[key] = append(elements[key], *list(&rule)...)
	}
	var joined []rbacv1.PolicyRule
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		slices.Sort(elements[key])
		*list(groups[key]) = slices.Compact(elements[key])
		joined = append(joined, *groups[key])
	}
	slices.SortStableFunc(joined, func(a, b rbacv1.PolicyRule) int { return cmp.Compare(text(a), text(b)) })
	return joined
}

// text is a rule as a key to sort and to compare by.
func text(p rbacv1.PolicyRule) string {
	var parts []string
	for _, list := range [][]string{p.NonResourceURLs, p.APIGroups, p.Resources, p.ResourceNames, p.Verbs} {
		parts = append(parts, strings.Join(list, ","))
	}
	return strings.Join(parts, "|")
}
