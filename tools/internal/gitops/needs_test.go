package gitops

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

func parse(t *testing.T, text string) manifest.Object {
	t.Helper()
	o := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
	return manifest.Object{Unstructured: o}
}

func TestReferences(t *testing.T) {
	for name, test := range map[string]struct {
		object string
		want   []reference
	}{
		"pull secrets": {`{kind: ServiceAccount, metadata: {namespace: a}, imagePullSecrets: [{name: x}, {name: z}]}`,
			[]reference{{"Secret", "a", "x"}, {"Secret", "a", "z"}}},
		"a volume":           {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{secret: {secretName: x}}]}}`, []reference{{"Secret", "a", "x"}}},
		"a volume of data":   {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{configMap: {name: x}}]}}`, []reference{{"ConfigMap", "a", "x"}}},
		"optional volume":    {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{secret: {secretName: x, optional: true}}]}}`, nil},
		"a projected volume": {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{projected: {sources: [{secret: {name: x}}]}}]}}`, []reference{{"Secret", "a", "x"}}},
		"a variable":         {`{kind: Pod, metadata: {namespace: a}, spec: {env: [{valueFrom: {secretKeyRef: {name: x, key: k}}}]}}`, []reference{{"Secret", "a", "x"}}},
		"optional variable":  {`{kind: Pod, metadata: {namespace: a}, spec: {env: [{valueFrom: {configMapKeyRef: {name: x, key: k, optional: true}}}]}}`, nil},
		"a listener":         {`{kind: Gateway, metadata: {namespace: a}, spec: {tls: {certificateRefs: [{name: x, namespace: b}]}}}`, []reference{{"Secret", "b", "x"}}},
		"a custom resource":  {`{kind: TLSStore, metadata: {namespace: a}, spec: {defaultCertificate: {secretName: x}}}`, []reference{{"Secret", "a", "x"}}},
		"an install": {`{apiVersion: packaging.carvel.dev/v1alpha1, kind: PackageInstall, metadata: {namespace: a, annotations: {ext.packaging.carvel.dev/fetch-0-secret-name: x}}}`,
			[]reference{{"Secret", "a", "x"}}},
		"schemas name nothing": {`{kind: CustomResourceDefinition, spec: {example: {secretName: x}}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, references(parse(t, test.object)))
		})
	}
}

func TestNeeds(t *testing.T) {
	packages := []environment.Package{
		{Objects: []manifest.Object{parse(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: a, name: made}}`)}},
		{Objects: []manifest.Object{
			parse(t, `{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: one}, spec: {volumes: [{secret: {secretName: mine}}, {secret: {secretName: made}}, {secret: {secretName: issued}}]}}`),
			parse(t, `{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: two}, spec: {imagePullSecrets: [{name: mine}]}}`),
			parse(t, `{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {namespace: a, name: c}, spec: {secretName: issued}}`),
		}},
	}
	require.Equal(t, []Need{{"Secret", "a", "mine", []string{"Pod a/one", "Pod a/two"}}}, needsOf(packages))
}

// TestNeedsOfTheEnvironments: what config/ says in words must be in place, and
// nothing that a package brings or its controllers make.
func TestNeedsOfTheEnvironments(t *testing.T) {
	c := checkout(t)
	for name, want := range map[string][]string{
		"dev":  nil,
		"prod": {"Secret traefik/platform-tls"},
		"airgapped": {
			"Secret dapr-system/registry-credentials", "ConfigMap flux-system/registry-ca", "Secret flux-system/registry-credentials",
			"Secret keda/registry-credentials", "Secret knative-eventing/registry-credentials", "ConfigMap knative-serving/registry-ca",
			"Secret knative-serving/registry-credentials", "Secret opentelemetry-collector/registry-credentials",
			"Secret opentelemetry-operator-system/registry-credentials", "Secret packages/registry-credentials",
			"Secret traefik/platform-tls", "Secret traefik/registry-credentials",
		},
	} {
		packages, err := environment.Render(t.Context(), c, environmentOf(t, c, name))
		require.NoError(t, err)
		var have []string
		for _, need := range needsOf(packages) {
			have = append(have, need.String())
		}
		require.Equal(t, want, have, name)
	}
}
