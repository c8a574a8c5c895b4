package lint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFrozen(t *testing.T) {
	const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: harbour}\ndata: {a: '1', b: '2'}\n"
	const empty = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: trust, namespace: harbour}\n"
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat}\nspec: {replicas: 2}\n"
	tests := []struct{ name, rule, want string }{
		{"copied from the cluster", "{path: [data], type: copy, sources: [existing, new], resourceMatchers: [{apiVersionKindMatcher: {apiVersion: v1, kind: ConfigMap}}]}",
			`rebaseRules[0] keeps data["a"], data["b"] of ConfigMap harbour/settings as first installed, so no value, overlay or upgrade changes it`},
		{"one key", "{path: [data, b], type: copy, sources: [existing, new], resourceMatchers: [{kindNamespaceNameMatcher: {kind: ConfigMap, namespace: harbour, name: settings}}]}",
			`rebaseRules[0] keeps data["b"] of ConfigMap harbour/settings`},
		{"in a list of paths", "{paths: [[metadata, annotations], [data, a]], type: copy, sources: [existing, new], resourceMatchers: [{allMatcher: {}}]}",
			`rebaseRules[0] keeps data["a"] of ConfigMap harbour/settings`},
		{"what the package says comes first", "{path: [data], type: copy, sources: [new, existing], resourceMatchers: [{allMatcher: {}}]}", ""},
		{"a key that the package does not set", "{path: [data, c], type: copy, sources: [existing, new], resourceMatchers: [{allMatcher: {}}]}", ""},
		{"an object without data", "{path: [data], type: copy, sources: [existing, new], resourceMatchers: [{kindNamespaceNameMatcher: {kind: ConfigMap, namespace: harbour, name: trust}}]}", ""},
		{"replicas", "{path: [spec, replicas], type: copy, sources: [existing, new], resourceMatchers: [{apiVersionKindMatcher: {apiVersion: apps/v1, kind: Deployment}}]}", ""},
		{"unknown matcher", "{path: [data], type: copy, sources: [existing], resourceMatchers: [{nameMatcher: {}}]}", "kapp cannot apply rebaseRules[0]: Unknown resource matcher"},
		{"unknown type", "{path: [data], type: keep, sources: [existing], resourceMatchers: [{allMatcher: {}}]}", "kapp cannot apply rebaseRules[0]: Unknown rebase rule type: keep"},
		{"no path", "{type: copy, sources: [existing], resourceMatchers: [{allMatcher: {}}]}", "kapp does not understand its Config: Validating config"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := object(t, "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nrebaseRules: ["+tt.rule+"]\n")
			findings := frozen(toList(config, object(t, configMap), object(t, empty), object(t, deployment)))
			if tt.want == "" {
				require.Empty(t, findings)
				return
			}
			require.Len(t, findings, 1)
			require.Contains(t, findings[0].Message, tt.want)
			require.Equal(t, "upstream/boat.yml", findings[0].File)
		})
	}
}
