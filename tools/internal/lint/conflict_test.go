package lint

import "testing"

func TestConflicts(t *testing.T) {
	const (
		unrecorded = `annotations: {kapp.k14s.io/disable-original: ""}`
		found      = "delays an install by a second or more"
	)
	for name, test := range map[string]struct{ object, want string }{
		"a budget":                    {"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n", found},
		"a budget without a record":   {"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a, " + unrecorded + "}\n", ""},
		"a quota":                     {"apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: a}\n", found},
		"a CRD":                       {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n", found},
		"another annotation":          {"apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: a, annotations: {a: b}}\n", found},
		"another group's budget":      {"apiVersion: example.com/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n", ""},
		"what is written now or then": {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", ""},
	} {
		t.Run(name, func(t *testing.T) { requireFinding(t, test.want, conflicts(objects(t, test.object))) })
	}
}
