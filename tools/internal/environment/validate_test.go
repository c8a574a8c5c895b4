package environment_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/environment"
)

const things = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.demo.example}
spec:
  group: demo.example
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1}
              colour: {type: string, enum: [red, green]}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}
              labels: {type: object, additionalProperties: {type: string}}
              template: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
          status: {type: object}
  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    deprecationWarning: use v1
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1alpha1
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object}}`

func thing(version, spec string) string {
	return "apiVersion: demo.example/" + version + "\nkind: Thing\nmetadata: {name: t, namespace: demo}\nspec: " + spec
}

func TestValidateObjects(t *testing.T) {
	version, files := openAPI(t)
	for _, test := range []struct {
		name, object string
		kubernetes   string
		want         []string // "rule: part of the message"
	}{
		{name: "fine", object: deployment},
		{name: "null is nothing", object: strings.Replace(deployment, "replicas: 1", "replicas: null", 1)},
		{name: "status is the cluster's", object: deployment + "\nstatus: {nonsense: 1}"},
		{name: "quantity as a number", object: strings.Replace(deployment, "cpu: 20m", "cpu: 2", 1)},
		{name: "unknown field", object: strings.Replace(deployment, "replicas: 1", "replica: 1", 1),
			want: []string{"schema: spec.replica"}},
		{name: "unknown field in a list", object: strings.Replace(deployment, "- name: app\n", "- name: app\n        imagePull: x\n", 1),
			want: []string{"schema: spec.template.spec.containers[0].imagePull"}},
		{name: "wrong type", object: strings.Replace(deployment, "replicas: 1", "replicas: many", 1),
			want: []string{"schema: spec.replicas in body must be of type integer"}},
		{name: "missing field", object: strings.Replace(deployment, "  selector: {matchLabels: {app: app}}\n", "", 1),
			want: []string{"schema: spec.selector"}},
		{name: "two at once", object: strings.NewReplacer("replicas: 1", "replicas: many", "cpu: 20m", "cpu: []").Replace(deployment),
			want: []string{"schema: \"spec.template.spec.containers[0].resources.requests.cpu\" must validate one", "schema: spec.replicas", "schema: spec.template.spec.containers[0].resources.requests.cpu"}},
		{name: "unknown kind", object: "apiVersion: apps/v1\nkind: Deploy\nmetadata: {name: a}",
			want: []string{"unknown-kind: serves Deploy of apps/v1"}},
		{name: "unknown group", object: "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}",
			want: []string{"unknown-kind: serves ServiceMonitor of monitoring.coreos.com/v1"}},
		{name: "nonsense of an apiVersion", object: "apiVersion: a/../b/c\nkind: X\nmetadata: {name: a}", want: []string{"unknown-kind: "}},
		{name: "removed", object: "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}",
			want: []string{"removed-api: policy/v1beta1 PodDisruptionBudget is served no more since Kubernetes 1.25; use policy/v1 PodDisruptionBudget"}},
		{name: "deprecated", object: "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}", want: []string{"deprecated-api: v1 Endpoints is deprecated since Kubernetes 1.33"}},
		{name: "not yet deprecated", kubernetes: "1.32", object: "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}"},
		{name: "custom", object: thing("v1", "{size: 1, colour: red, port: 80, free: {b: {}}, labels: {a: b}, template: {apiVersion: v1, kind: X, metadata: {name: a}, spec: {}}}")},
		{name: "custom, unknown field", object: thing("v1", "{size: 1, color: red}"), want: []string{"schema: spec.color"}},
		{name: "custom, out of range", object: thing("v1", "{size: 0}"), want: []string{"schema: spec.size"}},
		{name: "custom, no choice", object: thing("v1", "{size: 1, colour: blue}"), want: []string{"schema: spec.colour"}},
		{name: "custom, missing", object: thing("v1", "{}"), want: []string{"schema: spec.size"}},
		{name: "custom, metadata", object: strings.Replace(thing("v1", "{size: 1}"), "name: t", "name: t, nmespace: x", 1), want: []string{"schema: metadata.nmespace"}},
		{name: "custom, deprecated", object: thing("v1beta1", "{anything: 1}"), want: []string{"deprecated-api: use v1"}},
		{name: "custom, not served", object: thing("v1alpha1", "{}"), want: []string{"unknown-kind: serves Thing of demo.example/v1alpha1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.kubernetes == "" {
				test.kubernetes = version
			}
			api, err := environment.NewAPI(test.kubernetes, files)
			require.NoError(t, err)
			findings, err := environment.Validate(t.Context(), environment.Rendered{
				"a": objects(t, test.object), "b": objects(t, things),
			}, api, environment.Options{})
			require.NoError(t, err)
			require.Len(t, findings, len(test.want), "%v", findings)
			for i, want := range test.want {
				rule, message, _ := strings.Cut(want, ": ")
				require.Equal(t, rule, findings[i].Rule)
				require.Contains(t, findings[i].Message, message)
				require.Equal(t, "a", findings[i].Package)
			}
		})
	}
}

func TestValidateForeignAPIs(t *testing.T) {
	const monitor = "{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: a, namespace: b}, spec: {x: 1}}"
	api := newAPI(t)
	findings, err := environment.Validate(t.Context(), environment.Rendered{"a": objects(t, monitor)}, api, environment.Options{})
	require.NoError(t, err)
	require.Len(t, findings, 1)
	require.Contains(t, findings[0].Message, "if others provide it, add monitoring.coreos.com/v1 to apis in environment.yml")
	require.NoError(t, api.Allow([]string{"monitoring.coreos.com/v1"}))
	findings, err = environment.Validate(t.Context(), environment.Rendered{"a": objects(t, monitor)}, api, environment.Options{})
	require.NoError(t, err)
	require.Empty(t, findings)
	require.Error(t, api.Allow([]string{"a/b/c"}))
}

func TestValidateImages(t *testing.T) {
	const digest = "@sha256:1111111111111111111111111111111111111111111111111111111111111111"
	pod := func(image, value string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {from: elsewhere.example/x" + digest + "}}\n" +
			"spec: {containers: [{name: a, image: " + image + ", env: [{name: X, value: \"" + value + "\"}]}]}"
	}
	for _, test := range []struct {
		name, object, registry string
		want                   string
	}{
		{"anywhere", pod("docker.io/app", ""), "", ""},
		{"in the registry", pod("registry.example/app:1", "--image=registry.example/b"+digest), "registry.example", ""},
		{"in a path of it", pod("registry.example/team/app:1", ""), "registry.example/team/", ""},
		{"in a repository of its own", pod("registry.example/team"+digest, ""), "registry.example/team", ""},
		{"elsewhere", pod("docker.io/app", ""), "registry.example", "spec.containers[0].image names the image docker.io/app, which is not in registry.example"},
		{"without a host", pod("app:1", ""), "registry.example", "names the image app:1"},
		{"in a name that begins alike", pod("registry.example.org/app", ""), "registry.example", "names the image registry.example.org/app"},
		{"by tag in a flag", pod("registry.example/app:1", "--image=elsewhere.example/b:1"), "registry.example", "spec.containers[0].env[0].value"},
		{"an address is no image", pod("registry.example/app:1", "collector.telemetry.svc:4317 http://a.example/b:1 a:1"), "registry.example", ""},
		{"in another that is allowed", pod("allowed.example/app:1", "--image=allowed.example/b"+digest), "registry.example", ""},
		{"in a flag", pod("registry.example/app:1", "--image=elsewhere.example/b"+digest), "registry.example", "spec.containers[0].env[0].value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			findings, err := environment.Validate(t.Context(), environment.Rendered{"a": objects(t, test.object)}, newAPI(t), environment.Options{Registry: test.registry, Registries: []string{"allowed.example"}})
			require.NoError(t, err)
			if test.want == "" {
				require.Empty(t, findings)
				return
			}
			require.Len(t, findings, 1)
			require.Equal(t, environment.RuleForeignImage, findings[0].Rule)
			require.Contains(t, findings[0].String(), test.want)
		})
	}
}

func TestNewAPIRefuses(t *testing.T) {
	_, files := openAPI(t)
	_, err := environment.NewAPI("latest", files)
	require.ErrorContains(t, err, `"latest" is not a version of Kubernetes`)
	_, err = environment.NewAPI("1.35", fstest.MapFS{})
	require.ErrorContains(t, err, "reading the API of Kubernetes 1.35")
	_, err = environment.NewAPI("1.35", fstest.MapFS{"api__v1_openapi.json": {Data: []byte("{")}})
	require.ErrorContains(t, err, "api__v1_openapi.json")
	_, err = environment.NewAPI("1.35", fstest.MapFS{"api__v1_openapi.json": {Data: []byte("{}")}})
	require.ErrorContains(t, err, "it has no schemas")
}

// FuzzValidate gives it a definition and an object of it as nobody would write
// them: whatever comes out, it ends, and no object is found valid that has a
// field of which nobody knows.
func FuzzValidate(f *testing.F) {
	f.Add(`{type: object, properties: {a: {type: array, items: {type: object}}}}`, `{a: [1, {b: null}]}`)
	f.Add(`{properties: {a: {$ref: "#/components/schemas/nothing"}}}`, `{a: {}}`)
	f.Add(`{type: object, properties: {a: {pattern: "(", format: int-or-string, allOf: [{}]}}}`, `{a: x}`)
	f.Add(`{type: object, properties: {a: {x-kubernetes-embedded-resource: true}}}`, `{a: {metadata: 1}}`)
	version, files := openAPI(f)
	api, err := environment.NewAPI(version, files)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, schema, spec string) {
		crd := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.demo.example}\n" +
			"spec: {group: demo.example, names: {kind: Thing, plural: things}, scope: Namespaced, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: " + schema + "}}}}]}"
		both, ok := tryObjects(crd, thing("v1", spec)+"\nnobody: knows")
		if !ok {
			t.Skip("SKIPPED: an input of the fuzzer that is no YAML")
		}
		findings, err := environment.Validate(t.Context(), environment.Rendered{"a": both}, api, environment.Options{})
		if err != nil {
			return // a definition that is none
		}
		require.NotEmpty(t, findings)
	})
}
