package environment_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// objects reads YAML documents.
func objects(tb testing.TB, text string) []manifest.Object {
	tb.Helper()
	list, ok := tryObjects(strings.Split(text, "\n---\n")...)
	require.True(tb, ok, text)
	return list
}

func tryObjects(documents ...string) ([]manifest.Object, bool) {
	var list []manifest.Object
	for _, document := range documents {
		content := map[string]any{}
		if err := yaml.Unmarshal([]byte(document), &content); err != nil {
			return nil, false
		}
		list = append(list, manifest.Object{Unstructured: &unstructured.Unstructured{Object: content}})
	}
	return list, true
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: demo, labels: {app.kubernetes.io/name: app}}
spec:
  replicas: 1
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: registry.example/app:1
        args: [--a, --b]
        resources: {requests: {cpu: 20m, memory: 1Gi}}
        env:
        - {name: LEVEL, value: info}
        ports: [{name: http, containerPort: 80}]
      tolerations:
      - {key: one, operator: Exists}`

func TestDiffFields(t *testing.T) {
	for _, test := range []struct {
		name, old, new string
		want           string
	}{
		{"a value in an item of a list", "cpu: 20m", "cpu: 100m",
			"spec.template.spec.containers[name=app].resources.requests.cpu: 20m → 100m"},
		{"a number", "replicas: 1", "replicas: 3", "spec.replicas: 1 → 3"},
		{"another type", "replicas: 1", `replicas: "1"`, `spec.replicas: 1 → "1"`},
		{"a new key", "memory: 1Gi", "memory: 1Gi, pods: 3",
			"+ spec.template.spec.containers[name=app].resources.requests.pods: 3"},
		{"a key that is gone", ", memory: 1Gi", "",
			"- spec.template.spec.containers[name=app].resources.requests.memory: 1Gi"},
		{"a new item", "- {name: LEVEL, value: info}", "- {name: LEVEL, value: info}\n        - {name: MORE, value: \"\"}",
			`+ spec.template.spec.containers[name=app].env[name=MORE]: {"name":"MORE","value":""}`},
		{"an item by its key", "{key: one, operator: Exists}", "{key: one, operator: Equal}",
			"spec.template.spec.tolerations[key=one].operator: Exists → Equal"},
		{"a new item without a name", "[--a, --b]", "[--a, --b, --c]",
			"+ spec.template.spec.containers[name=app].args[]: --c"},
		{"another order", "[--a, --b]", "[--b, --a]",
			`spec.template.spec.containers[name=app].args: order ["--a","--b"] → ["--b","--a"]`},
		{"a key with dots", "app.kubernetes.io/name: app", "app.kubernetes.io/name: other",
			`metadata.labels["app.kubernetes.io/name"]: app → other`},
		{"the API version", "apps/v1", "apps/v2", "apiVersion: apps/v1 → apps/v2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.Replace(deployment, test.old, test.new, 1)
			require.NotEqual(t, deployment, changed)
			differences, err := environment.Diff(
				environment.Rendered{"demo": objects(t, deployment)}, environment.Rendered{"demo": objects(t, changed)})
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, environment.Print(&text, differences))
			require.Equal(t, "demo\n  Deployment.apps demo/app\n    "+test.want+"\n", text.String())
		})
	}
}

func TestDiffOfTheSame(t *testing.T) {
	same, err := environment.Diff(environment.Rendered{"demo": objects(t, deployment)}, environment.Rendered{"demo": objects(t, deployment)})
	require.NoError(t, err)
	require.Empty(t, same)
}

func TestDiffObjectsAndPackages(t *testing.T) {
	const config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %, namespace: demo}\ndata: {text: \"a\\nb\\nc\\nd\\n\"}"
	named := func(names ...string) []manifest.Object {
		var list []manifest.Object
		for _, name := range names {
			list = append(list, objects(t, strings.ReplaceAll(config, "%", name))...)
		}
		return list
	}
	other := named("one", "three")
	require.NoError(t, unstructured.SetNestedField(other[0].Object, "a\nb\nx\nd\n", "data", "text"))
	differences, err := environment.Diff(
		environment.Rendered{"b": named("one", "two"), "a": named("only")},
		environment.Rendered{"b": other, "c": named("new")})
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, environment.Print(&text, differences))
	require.Equal(t, `a
  - ConfigMap demo/only
b
  ConfigMap demo/one
    data.text:
      @@ -2,3 +2,3 @@
       b
      -c
      +x
       d
  + ConfigMap demo/three
  - ConfigMap demo/two
c
  + ConfigMap demo/new
`, text.String())
}

// What is in a Secret is in no output, however it changes.
func TestDiffKeepsSecrets(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: demo, labels: {a: b}}\n"
	for _, test := range []struct{ name, from, to, want string }{
		{"changed", "data: {a: aHVudGVyMg==}", "data: {a: aHVudGVyMw==}", "data.a: changed (a secret)"},
		{"added", "data: {a: aHVudGVyMg==}", "data: {a: aHVudGVyMg==, b: aHVudGVyMw==}", "data.b: added (a secret)"},
		{"gone with all", "stringData: {a: hunter2}", "type: Opaque", "stringData: removed (a secret)"},
		{"in lines", `stringData: {a: "x\nhunter2\n"}`, `stringData: {a: "x\nhunter3\n"}`, "stringData.a: changed (a secret)"},
		{"of another type", "stringData: {a: hunter2}", "stringData: [hunter3]", "stringData: changed (a secret)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			differences, err := environment.Diff(
				environment.Rendered{"demo": objects(t, secret+test.from)}, environment.Rendered{"demo": objects(t, secret+test.to)})
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, environment.Print(&text, differences))
			require.Contains(t, text.String(), test.want)
			encoded, err := json.Marshal(differences)
			require.NoError(t, err)
			for _, kept := range []string{"hunter", "aHVudGVy"} {
				require.NotContains(t, text.String(), kept)
				require.NotContains(t, string(encoded), kept)
			}
		})
	}
}

func TestDiffAsJSON(t *testing.T) {
	differences, err := environment.Diff(
		environment.Rendered{"demo": objects(t, deployment)},
		environment.Rendered{"demo": objects(t, strings.Replace(deployment, "replicas: 1", "replicas: 0", 1))})
	require.NoError(t, err)
	encoded, err := json.Marshal(differences)
	require.NoError(t, err)
	require.JSONEq(t, `[{"package": "demo", "object": "Deployment.apps demo/app", "change": "changed",
		"fields": [{"path": "spec.replicas", "change": "changed", "from": 1, "to": 0}]}]`, string(encoded))
}

// FuzzDiff gives it two objects of any shape: it must neither fail on what is an
// object, nor find nothing where something differs, nor tell a secret.
func FuzzDiff(f *testing.F) {
	f.Add(`{"spec":{"a":[{"name":"x","v":1},{"name":"y"}]}}`, `{"spec":{"a":[{"name":"y"},{"name":"x","v":null}]}}`)
	f.Add(`{"a":[1,[2],{"name":{"b":1}}]}`, `{"a":[[],"1",{"key":"k"},{"key":"k"}]}`)
	f.Add(`{"a":{"":1,"b.c":[null]}}`, `{"a":"x\ny"}`)
	f.Fuzz(func(t *testing.T, from, to string) {
		read := func(text string) environment.Rendered {
			content := map[string]any{}
			if err := json.Unmarshal([]byte(text), &content); err != nil {
				t.Skip("SKIPPED: an input of the fuzzer that is no JSON object")
			}
			content["apiVersion"], content["kind"] = "v1", "Secret"
			content["metadata"] = map[string]any{"name": "s"}
			content["data"] = map[string]any{"key": "hunter2" + text}
			return environment.Rendered{"demo": {{Unstructured: &unstructured.Unstructured{Object: content}}}}
		}
		differences, err := environment.Diff(read(from), read(to))
		require.NoError(t, err)
		require.Equal(t, from == to, len(differences) == 0)
		var text strings.Builder
		require.NoError(t, environment.Print(&text, differences))
		require.NotContains(t, text.String(), "hunter2")
	})
}
