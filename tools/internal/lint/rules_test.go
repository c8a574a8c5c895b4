package lint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// TestEveryRule shows all rules a version that each of them refuses: a rule that
// is in no list, or in the wrong scope, is of no use.
func TestEveryRule(t *testing.T) {
	const (
		pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: boat, namespace: harbour, annotations: {kapp.k14s.io/change-rule: upsert after upserting harbour/seals}}\n" +
			"spec: {containers: [{name: hull, image: ghcr.io/example/other:1, livenessProbe: {tcpSocket: {port: 80}}}]}\n"
		matcher = "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nrebaseRules:\n- {path: [data], type: copy, sources: [existing, new], resourceMatchers: [{apiVersionKindMatcher: {kind: ConfigMap, apiVersion: v1, name: a}}]}\n"
		setting = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: town, labels: {app.kubernetes.io/version: devel}, annotations: {knative.dev/example-checksum: a}}\ndata: {a: b}\n"
		filled  = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: town}\ndata: {a: Yg==}\n"
		empty   = "apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: town}\n"
		server  = "apiVersion: v1\nkind: Service\nmetadata: {name: server, namespace: town}\n"
		api     = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.boats}\nspec: {service: {namespace: town, name: server}}\n"
		lost    = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.ropes}\nspec: {service: {namespace: town, name: nobody}}\n"
		seal    = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: seal, annotations: {kapp.k14s.io/change-group: harbour/seals}}\n"
		hook    = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: watch}\nwebhooks: [{name: watch.harbour, clientConfig: {url: https://harbour}}]\n"
		eager   = "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nwaitRules: [{conditionMatchers: [{type: Ready, status: 'True', unblockChanges: true}], resourceMatchers: [{apiVersionKindMatcher: {apiVersion: v1, kind: Pod}}]}]\n"
		crd     = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats}\nspec: {versions: [{name: v1, storage: true}]}\n"
	)
	vast := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: fleets, labels: {a: " + strings.Repeat("x", 262144) + "}}\nspec: {}\n"
	v := boat()
	s := &subject{
		version: v, canonical: canonical, published: true, backups: []string{"packages/boat/config/schema.yml~"}, installed: kinds{},
		final:     objects(t, pod, matcher, setting, filled, empty, empty, server, api, lost, seal, hook, eager, vast),
		older:     []*subject{{version: &catalog.Version{Package: v.Package, Version: "1.0.0"}, final: objects(t, crd)}},
		charts:    []Finding{{Message: "a key for all"}},
		schema:    map[string]any{"properties": map[string]any{"captain": map[string]any{"type": "string", "default": ""}}},
		packageCR: map[string]any{"spec": map[string]any{"deploy": []any{map[string]any{"kapp": map[string]any{"intoNs": "town"}}}}},
	}
	found := func(least scope) (names []string) {
		seen := map[string]bool{}
		for _, f := range judge(s, least) {
			if !seen[f.Rule] {
				seen[f.Rule] = true
				names = append(names, f.Rule)
			}
		}
		return names
	}
	require.Equal(t, []string{
		"unlocked-image", "kapp-matcher-name", "freeze-rebase", "schema-description", "schema-example", "helm-nondeterminism",
		"secret-with-data", "into-ns", "container-root", "container-memory", "impatient-liveness", "crd-version-dropped", "upgrade-path",
		"undone-by-update", "unrecorded-difference", "record-conflict", "missing-reference", "server-order", "order-without-wait", "webhook-without-wait", "wait-without-pause", "version-label", "example-checksum",
		"unknown-kind", "duplicate-object", "duplicate-tag", "missing-proof", "missing-permissions", "editor-backup",
	}, found(shared))
	require.Equal(t, []string{
		"freeze-rebase", "impatient-liveness", "undone-by-update", "unrecorded-difference", "record-conflict", "missing-reference", "server-order", "order-without-wait", "wait-without-pause", "version-label", "example-checksum",
		"unknown-kind", "duplicate-object",
	}, found(always))
}
