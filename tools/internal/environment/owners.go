package environment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// RuleDuplicateObject is for an object that is rendered twice, by one package or by
// several: kapp refuses to change what another install owns.
const RuleDuplicateObject = "duplicate-object"

// owners are the packages that render an object, each as often as it does, by object.
type owners map[manifest.Identity][]string

func ownersOf(rendered Rendered) owners {
	all := owners{}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		for _, o := range named(rendered[name]) {
			all[o.Identity()] = append(all[o.Identity()], name)
		}
	}
	return all
}

// duplicates has one finding for each object with more than one owner.
func (all owners) duplicates(rendered Rendered) []Finding {
	var findings []Finding
	seen := map[manifest.Identity]bool{}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		for _, o := range named(rendered[name]) {
			id := o.Identity()
			if len(all[id]) < 2 || seen[id] {
				continue
			}
			seen[id] = true
			message := fmt.Sprintf("%s renders it %d times; leave all but one of them out", name, len(all[id]))
			if who := slices.Compact(slices.Clone(all[id])); len(who) > 1 {
				message = fmt.Sprintf("the packages %s render it, and kapp lets only one install own it; leave it out of all but one", strings.Join(who, ", "))
			}
			findings = append(findings, Finding{name, o.ID(), RuleDuplicateObject, message})
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Object, b.Object) })
	return findings
}

// ofOne are the objects of a package that no other package renders.
func (all owners) ofOne(p Package) []manifest.Object {
	return slices.DeleteFunc(named(p.Objects), func(o manifest.Object) bool {
		return len(slices.Compact(slices.Clone(all[o.Identity()]))) > 1
	})
}
