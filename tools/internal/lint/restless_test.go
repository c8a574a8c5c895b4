package lint

import (
	"strings"
	"testing"
)

func TestRestless(t *testing.T) {
	const (
		boat   = "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: one}\n"
		config = "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nwaitRules: [{RULE, resourceMatchers: [{apiVersionKindMatcher: {apiVersion: example.com/v1, kind: KIND}}]}]\n"
		star   = `ytt: {funcContractV1: {resource.star: "def is_done(resource):\n  return {'done': False, 'unblockChanges': WHETHER}\nend"}}`
		found  = "kapp polls it without a pause"
	)
	for name, test := range map[string]struct{ rule, kind, want string }{
		"by a condition":            {"conditionMatchers: [{type: Afloat, status: 'True', unblockChanges: true}, {type: Ready, status: 'True', success: true}]", "Boat", found},
		"by Starlark":               {strings.Replace(star, "WHETHER", "True", 1), "Boat", found},
		"of another kind":           {strings.Replace(star, "WHETHER", "True", 1), "Rope", ""},
		"Starlark that blocks":      {strings.Replace(star, "WHETHER", "False", 1), "Boat", ""},
		"Starlark that is in error": {strings.Replace(star, "WHETHER", "1/0", 1), "Boat", ""},
		"conditions that block":     {"conditionMatchers: [{type: Ready, status: 'True', success: true}]", "Boat", ""},
	} {
		t.Run(name, func(t *testing.T) {
			requireFinding(t, test.want, restless(objects(t, boat, strings.NewReplacer("RULE", test.rule, "KIND", test.kind).Replace(config))))
		})
	}
}
