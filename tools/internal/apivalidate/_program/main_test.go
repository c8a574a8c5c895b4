package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	core "k8s.io/kubernetes/pkg/apis/core"
	"sigs.k8s.io/yaml"
)

// object parses YAML.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
	return o
}

// found runs the program on objects and returns its findings as lines.
func found(t *testing.T, definitions, objects []*unstructured.Unstructured) (lines []string, unknown []int) {
	t.Helper()
	input := map[string]any{"definitions": contents(definitions), "objects": contents(objects)}
	text, err := json.Marshal(input)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, run(bytes.NewReader(text), &out))
	var output Output
	require.NoError(t, json.Unmarshal(out.Bytes(), &output))
	for _, f := range output.Findings {
		lines = append(lines, fmt.Sprintf("%d %s: %s", f.Object, f.Field, f.Message))
	}
	return lines, output.Unknown
}

func contents(objects []*unstructured.Unstructured) []any {
	list := []any{}
	for _, o := range objects {
		list = append(list, o.Object)
	}
	return list
}

const boats = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: boat, namespace: sea}
spec:
  replicas: 1
  selector: {matchLabels: {app: boat}}
  template:
    metadata: {labels: {app: boat}}
    spec:
      containers:
      - name: boat
        image: ko://example.com/boat
        resources: {limits: {cpu: 100m}, requests: {cpu: 50m}}
        ports: [{name: http, containerPort: 80}]
        volumeMounts: [{name: hold, mountPath: /hold}]
      volumes: [{name: hold, emptyDir: {}}]
`

func TestBuiltIn(t *testing.T) {
	changed := func(from, to string) string {
		require.Contains(t, boats, from)
		return strings.Replace(boats, from, to, 1)
	}
	meta := func(fields string) string {
		return "{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, namespace: sea" + fields + "}}"
	}
	for name, test := range map[string]struct {
		object string
		want   []string
	}{
		"fine":                          {object: boats},
		"without a namespace":           {object: changed(", namespace: sea", "")},
		"null":                          {object: changed("replicas: 1", "replicas: null")},
		"status is the cluster's":       {object: boats + "status: {replicas: many}"},
		"a generated name":              {object: "{apiVersion: batch/v1, kind: Job, metadata: {generateName: trip-, namespace: sea}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}"},
		"an empty Secret":               {object: "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: sea}}"},
		"an aggregated ClusterRole":     {object: "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'boats:all'}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}}"},
		"a Service with a health check": {object: "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: sea}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}"},
		"a headless Service":            {object: "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: sea}, spec: {clusterIP: None, ports: [{port: 80}]}}"},
		"an APIService":                 {object: "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.boats.example}, spec: {group: boats.example, version: v1, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true, service: {name: a, namespace: sea}}}"},
		"limits below requests":         {changed("cpu: 50m", "cpu: 200m"), []string{`spec.template.spec.containers[0].resources.requests: Invalid value: "200m": must be less than or equal to cpu limit of 100m`}},
		"selector":                      {changed("labels: {app: boat}", "labels: {app: ship}"), []string{"spec.template.metadata.labels: Invalid value: {\"app\":\"ship\"}: `selector` does not match template `labels`"}},
		"a port twice":                  {changed("[{name: http, containerPort: 80}", "[{name: http, containerPort: 80}, {name: http, containerPort: 81}"), []string{`spec.template.spec.containers[0].ports[1].name: Duplicate value: "http"`}},
		"a mount without a volume":      {changed("{name: hold, mountPath", "{name: deck, mountPath"), []string{`spec.template.spec.containers[0].volumeMounts[0].name: Not found: "deck"`}},
		"two at once":                   {changed("replicas: 1", "replicas: -1\n  strategy: {rollingUpdate: {maxUnavailable: 150%}}"), []string{"spec.replicas: Invalid value: -1: must be greater than or equal to 0", "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"150%\": must not be greater than 100%"}},
		"a budget":                      {"{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a, namespace: sea}, spec: {maxUnavailable: 150%}}", []string{`spec.maxUnavailable: Invalid value: "150%": must not be greater than 100%`}},
		"a schedule":                    {"{apiVersion: batch/v1, kind: CronJob, metadata: {name: a, namespace: sea}, spec: {schedule: daily, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}}", []string{`spec.schedule: Invalid value: "daily": expected exactly 5 fields, found 1: [daily]`}},
		"a binding":                     {"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a, namespace: sea}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Rule, name: a}}", []string{`roleRef.kind: Unsupported value: "Rule": supported values: "`}},
		"a webhook":                     {"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: a}, webhooks: [{name: a.sea.example, admissionReviewVersions: [v1], sideEffects: Some, clientConfig: {service: {name: a, namespace: sea}}}]}", []string{`webhooks[0].sideEffects: Unsupported value: "Some"`}},
		"an admission policy":           {"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: a}, spec: {matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}, validations: [{expression: object.spec.}]}}", []string{"spec.validations[0].expression: Invalid value"}},
		"an autoscaler":                 {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a, namespace: sea}, spec: {minReplicas: 3, maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}", []string{"spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"}},
		"a network policy":              {"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: sea}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: everywhere}}]}]}}", []string{"spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"everywhere\""}},
		"a Service's ports":             {"{apiVersion: v1, kind: Service, metadata: {name: a, namespace: sea}, spec: {ports: [{port: 80}, {port: 81}]}}", []string{"spec.ports[0].name: Required value", "spec.ports[1].name: Required value"}},
		"a storage class":               {"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}, provisioner: a, reclaimPolicy: Burn}", []string{`reclaimPolicy: Unsupported value: "Burn"`}},
		"a priority":                    {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: system-boat}, value: 1}", []string{"metadata.name: Forbidden"}},
		"an API":                        {"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: boats}, spec: {group: boats.example, version: v1, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true, service: {name: a, namespace: sea}}}", []string{"metadata.name: Invalid value: \"boats\": must be `spec.version+\".\"+spec.group`"}},
		"not to be decoded":             {changed("replicas: 1", "replicas: many"), []string{": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"}},
		"a namespace for what has none": {object: "{apiVersion: v1, kind: Namespace, metadata: {name: sea, namespace: sea}}"}, // the API server drops it
		"a ConfigMap of 1 MiB":          {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: sea}, data: {a: " + strings.Repeat("x", core.MaxSecretSize+1) + "}}", []string{": Too long: may not be more than 1048576 bytes"}},
		"a Secret of 1 MiB":             {"{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: sea}, stringData: {a: " + strings.Repeat("x", core.MaxSecretSize+1) + "}}", []string{"data: Too long: may not be more than 1048576 bytes"}},
		"more than etcd stores":         {changed("image: ko://example.com/boat", "image: b\n        args: ["+strings.Repeat("x", embed.DefaultMaxRequestBytes)+"]"), []string{": Too long: the object takes 157"}},
		"name":                          {strings.Replace(meta(""), "boat", "Boat", 1), []string{`metadata.name: Invalid value: "Boat"`}},
		"namespace":                     {strings.Replace(meta(""), "sea", "The Sea", 1), []string{"metadata.namespace: Invalid value"}},
		"label value":                   {meta(", labels: {a: " + strings.Repeat("x", 87) + "}"), []string{"metadata.labels: Invalid value"}},
		"annotation key":                {meta(", annotations: {a b: c}"), []string{"metadata.annotations: Invalid value"}},
		"annotations too big":           {meta(", annotations: {a: " + strings.Repeat("x", 300_000) + "}"), []string{"metadata.annotations: Too long: may not be more than 262144 bytes"}},
		"finalizer":                     {meta(", finalizers: [a b]"), []string{"metadata.finalizers: Invalid value", "metadata.finalizers[0]: Invalid value"}},
		"role":                          {"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: 'packages:boat', namespace: sea}}", nil},
		"role with a slash":             {"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: packages/boat, namespace: sea}}", []string{"metadata.name: Invalid value"}},
		"a Service's name":              {"{apiVersion: v1, kind: Service, metadata: {name: 1st, namespace: sea}, spec: {ports: [{port: 80}]}}", []string{"metadata.name: Invalid value"}},
		"a Namespace's name":            {"{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}", []string{"metadata.name: Invalid value"}},
		"labels of pods":                {changed("labels: {app: boat}", "labels: {app: boat, a: b c}"), []string{"spec.template.labels: Invalid value"}},
		"a definition without schema":   {"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.demo.example}, spec: {group: demo.example, names: {kind: Thing, plural: things}, scope: Namespaced, versions: [{name: v1, served: true, storage: true}]}}", []string{"spec.versions[0].schema.openAPIV3Schema: Required value"}},
	} {
		t.Run(name, func(t *testing.T) {
			lines, unknown := found(t, nil, []*unstructured.Unstructured{object(t, test.object)})
			require.Empty(t, unknown)
			require.Len(t, lines, len(test.want), "%q", lines)
			for i, want := range test.want {
				require.Contains(t, lines[i], want)
			}
		})
	}
}

const things = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.demo.example}
spec:
  group: demo.example
  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: self.least <= self.most, message: least is above most, fieldPath: .least}
            properties:
              least: {type: integer, default: 1, minimum: 0}
              most: {type: integer, default: 3}
              names: {type: array, maxItems: 10, items: {type: string}, x-kubernetes-list-type: set}
          status: {type: object, required: [seen], properties: {seen: {type: boolean}}}
  - name: v1alpha1
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object}}
`

func TestCustom(t *testing.T) {
	for name, test := range map[string]struct {
		version, spec string
		want          []string
		unknown       bool
	}{
		"fine":                      {spec: "{least: 1, most: 2}"},
		"defaults":                  {spec: "{most: 1}"},
		"unknown fields are pruned": {spec: "{colour: red}"}, // the schema reports them
		"null":                      {spec: "{least: null}"},
		"a rule":                    {spec: "{least: 2, most: 1}", want: []string{"0 spec.least: Invalid value: \"object\": least is above most"}},
		"a rule and a default":      {spec: "{least: 4}", want: []string{"0 spec.least: Invalid value: \"object\": least is above most"}},
		"the schema":                {spec: "{least: -1}", want: []string{"0 spec.least: Invalid value: -1: spec.least in body should be greater than or equal to 0"}},
		"a set":                     {spec: "{names: [a, a]}", want: []string{`0 spec.names[1]: Duplicate value: "a"`}},
		"a version not served":      {version: "v1alpha1", unknown: true},
	} {
		t.Run(name, func(t *testing.T) {
			if test.version == "" {
				test.version = "v1"
			}
			thing := object(t, "{apiVersion: demo.example/"+test.version+", kind: Thing, metadata: {name: t, namespace: sea}, spec: "+test.spec+", status: {}}")
			definition := object(t, things)
			for _, input := range []struct{ definitions, objects []*unstructured.Unstructured }{
				{[]*unstructured.Unstructured{definition}, []*unstructured.Unstructured{thing}},
				{nil, []*unstructured.Unstructured{thing, definition}},
			} {
				got, unknown := found(t, input.definitions, input.objects)
				require.Equal(t, test.unknown, len(unknown) > 0)
				require.Len(t, got, len(test.want), "%q", got)
				for i, want := range test.want {
					require.Contains(t, got[i], want)
				}
			}
		})
	}
}

// TestBrokenDefinition has a finding, and objects of it say that it cannot be used.
func TestBrokenDefinition(t *testing.T) {
	broken := object(t, strings.Replace(things, "self.least <= self.most", "self.least <=", 1))
	thing := object(t, "{apiVersion: demo.example/v1, kind: Thing, metadata: {name: t, namespace: sea}, spec: {}}")
	lines, _ := found(t, nil, []*unstructured.Unstructured{broken, thing})
	require.NotEmpty(t, lines)
	require.Contains(t, lines[0], "0 spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value")
}

func TestInputThatIsNone(t *testing.T) {
	require.ErrorContains(t, run(strings.NewReader("{"), &bytes.Buffer{}), "reading the objects to validate")
	require.ErrorContains(t, run(strings.NewReader(`{"objects": [1]}`), &bytes.Buffer{}), "reading object 0")
}

func TestMessagesAreBounded(t *testing.T) {
	short := line(strings.Repeat("ä ", 5000))
	require.LessOrEqual(t, len(short), maxMessage+10)
	require.Contains(t, short, " … ")
	require.Equal(t, "a b", line("a\n\tb"))
}

// TestAllKindsHaveStrategies compares them with the kinds that can be stored.
func TestAllKindsHaveStrategies(t *testing.T) {
	// Requests to the API server, which it stores nowhere, parts of other kinds, and what
	// only the API server itself writes or nobody serves by default.
	never := map[string]bool{
		"Binding": true, "ComponentStatus": true, "Eviction": true, "LocalSubjectAccessReview": true,
		"PodStatusResult": true, "RangeAllocation": true, "Scale": true, "SelfSubjectAccessReview": true,
		"SelfSubjectReview": true, "SelfSubjectRulesReview": true, "SerializedReference": true,
		"SubjectAccessReview": true, "TokenRequest": true, "TokenReview": true,
		"PodCertificateRequest": true,
	}
	all := strategies()
	for kind, of := range legacyscheme.Scheme.AllKnownTypes() {
		if kind.Version == runtime.APIVersionInternal || never[kind.Kind] {
			continue
		}
		o, err := legacyscheme.Scheme.New(kind)
		require.NoError(t, err)
		if _, err := meta.Accessor(o); err != nil || of.Kind().String() != "struct" {
			continue // a list, or options
		}
		if _, list := o.(metav1.ListInterface); list {
			continue
		}
		require.Contains(t, all, kind.GroupKind(), "of %s", of)
	}
}
