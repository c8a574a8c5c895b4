package lint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const namedMatcher = `#@ load("@ytt:data", "data")
---
#@ if data.values.off:
apiVersion: kapp.k14s.io/v1alpha1
kind: Config
rebaseRules:
- path: [spec, replicas]
  type: copy
  sources: [existing, new]
  resourceMatchers:
  - andMatcher:
      matchers:
      - apiVersionKindMatcher:
          apiVersion: apps/v1
          kind: Deployment
          name: #@ data.values.name
#@ end
`

func TestMatchersInFiles(t *testing.T) {
	findings := matchersInFiles(map[string][]byte{
		"packages/boat/config/kapp.yml":      []byte(namedMatcher),
		"packages/boat/config/lib/x.star":    []byte(namedMatcher),
		"packages/boat/config/template.yml":  []byte("(@ if True: @)\n\t- {"),
		"packages/boat/config/good/kapp.yml": []byte("a: 1\n---\nwaitRules:\n- resourceMatchers:\n  - apiVersionKindMatcher: {apiVersion: v1, kind: Secret}\n  - kindNamespaceNameMatcher: {kind: Secret, name: x}\n"),
		"packages/boat/config/odd.yml":       []byte("apiVersionKindMatcher: text\n"),
	})
	require.Equal(t, []Finding{{
		File:    "packages/boat/config/kapp.yml",
		Line:    16,
		Message: `kapp ignores "name" in apiVersionKindMatcher, so the rule applies to every object of the kind`,
		Remedy:  "use kindNamespaceNameMatcher to match one object",
	}}, findings)
}

func TestMatchersInObjects(t *testing.T) {
	findings := matchersInObjects(toList(
		object(t, namedMatcher),
		object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kapp\n  labels: {kapp.k14s.io/config: ''}\ndata:\n  config.yml: |\n    waitRules:\n    - resourceMatchers:\n      - apiVersionKindMatcher: {kind: Job, namespace: x}\n"),
		object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata:\n  config.yml: |\n    apiVersionKindMatcher: {name: x}\n"),
		object(t, "apiVersion: example.com/v1\nkind: Config\nmetadata: {name: other}\nspec:\n  apiVersionKindMatcher: {name: x}\n"),
	))
	require.Len(t, findings, 2)
	require.Equal(t, "Config.kapp.k14s.io", findings[0].Object)
	require.Contains(t, findings[0].Message, `ignores "name"`)
	require.Equal(t, "ConfigMap kapp", findings[1].Object)
	require.Contains(t, findings[1].Message, `ignores "namespace"`)
	require.Equal(t, 7, findings[1].Line, "the object's line, since its text has none")
}

func TestCheckMatchersTellsEachOnce(t *testing.T) {
	s := &subject{files: map[string][]byte{"kapp.yml": []byte(namedMatcher)}, final: toList(object(t, namedMatcher))}
	require.Len(t, checkMatchers(s), 1)
	s.files = nil
	require.Len(t, checkMatchers(s), 1)
}

func FuzzMatchersInFiles(f *testing.F) {
	f.Add([]byte(namedMatcher))
	f.Add([]byte("apiVersionKindMatcher: &a {b: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, finding := range matchersInFiles(map[string][]byte{"x.yml": data}) {
			if finding.Line < 1 {
				t.Errorf("no line: %v", finding)
			}
		}
	})
}
