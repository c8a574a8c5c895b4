package environment

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestReferences(t *testing.T) {
	for name, test := range map[string]struct {
		object string
		want   []string
	}{
		"pull secrets":       {`{kind: ServiceAccount, metadata: {namespace: a}, imagePullSecrets: [{name: x}, {name: z}]}`, []string{"Secret a/x", "Secret a/z"}},
		"a volume":           {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{secret: {secretName: x}}]}}`, []string{"Secret a/x"}},
		"a volume of data":   {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{configMap: {name: x}}]}}`, []string{"ConfigMap a/x"}},
		"optional volume":    {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{secret: {secretName: x, optional: true}}]}}`, nil},
		"a projected volume": {`{kind: Pod, metadata: {namespace: a}, spec: {volumes: [{projected: {sources: [{secret: {name: x}}]}}]}}`, []string{"Secret a/x"}},
		"a variable":         {`{kind: Pod, metadata: {namespace: a}, spec: {env: [{valueFrom: {secretKeyRef: {name: x, key: k}}}]}}`, []string{"Secret a/x"}},
		"optional variable":  {`{kind: Pod, metadata: {namespace: a}, spec: {env: [{valueFrom: {configMapKeyRef: {name: x, key: k, optional: true}}}]}}`, nil},
		"a listener":         {`{kind: Gateway, metadata: {namespace: a}, spec: {gatewayClassName: g, tls: {certificateRefs: [{name: x, namespace: b}]}}}`, []string{"GatewayClass g", "Secret b/x"}},
		"a custom resource":  {`{kind: TLSStore, metadata: {namespace: a}, spec: {defaultCertificate: {secretName: x}}}`, []string{"Secret a/x"}},
		"an install": {`{apiVersion: packaging.carvel.dev/v1alpha1, kind: PackageInstall, metadata: {namespace: a, annotations: {ext.packaging.carvel.dev/fetch-0-secret-name: x}}, spec: {serviceAccountName: s}}`,
			[]string{"Secret a/x", "ServiceAccount a/s"}},
		"a pod":                {`{kind: Pod, metadata: {namespace: a}, spec: {priorityClassName: p, serviceAccountName: s}}`, []string{"PriorityClass p", "ServiceAccount a/s"}},
		"a claim":              {`{kind: PersistentVolumeClaim, metadata: {namespace: a}, spec: {storageClassName: s}}`, []string{"StorageClass s"}},
		"a claim of none":      {`{kind: PersistentVolumeClaim, metadata: {namespace: a}, spec: {storageClassName: ""}}`, nil},
		"an ingress":           {`{kind: Ingress, metadata: {namespace: a}, spec: {ingressClassName: i, tls: [{secretName: x}]}}`, []string{"IngressClass i", "Secret a/x"}},
		"a binding":            {`{kind: RoleBinding, metadata: {namespace: a}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}}`, []string{"Role a/r"}},
		"a cluster's binding":  {`{kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, name: r}}`, []string{"ClusterRole r"}},
		"a certificate":        {`{kind: Certificate, metadata: {namespace: a}, spec: {secretName: x, issuerRef: {name: i}}}`, []string{"Issuer a/i", "Secret a/x"}},
		"a cluster's issuer":   {`{kind: Certificate, metadata: {namespace: a}, spec: {issuerRef: {name: i, kind: ClusterIssuer, group: cert-manager.io}}}`, []string{"ClusterIssuer i"}},
		"an issuer of others":  {`{kind: Certificate, metadata: {namespace: a}, spec: {issuerRef: {name: i, kind: VaultIssuer, group: example.com}}}`, nil},
		"schemas name nothing": {`{kind: CustomResourceDefinition, spec: {example: {secretName: x}}}`, nil},
		"keys are no fields":   {`{kind: ConfigMap, metadata: {namespace: a, annotations: {secret: x}}, data: {secret: x}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			for _, r := range references(objects(t, test.object)[0]) {
				found = append(found, r.String())
			}
			require.ElementsMatch(t, test.want, found)
		})
	}
}

// sea are two packages: of boat the objects, and what it declares of itself.
func sea(t *testing.T, references []catalog.TextReference, creates []catalog.CreatedObject, boat ...string) []Package {
	t.Helper()
	return []Package{
		{Version: &catalog.Version{Package: &catalog.Package{Name: "port"}}, Objects: objects(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: a, name: made}}`)},
		{Version: &catalog.Version{Package: &catalog.Package{Name: "boat", References: references, Creates: creates}}, Objects: objects(t, boat...)},
	}
}

func missingIDs(t *testing.T, packages []Package) []string {
	t.Helper()
	missing, err := MissingObjects(packages)
	require.NoError(t, err)
	var ids []string
	for _, m := range missing {
		ids = append(ids, m.String())
	}
	return ids
}

func TestMissingObjects(t *testing.T) {
	missing, err := MissingObjects(sea(t, nil, nil,
		`{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: one}, spec: {volumes: [{secret: {secretName: mine}}, {secret: {secretName: made}}, {secret: {secretName: issued}}]}}`,
		`{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: two}, spec: {imagePullSecrets: [{name: mine}]}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {namespace: a, name: c}, spec: {secretName: issued}}`,
	))
	require.NoError(t, err)
	require.Equal(t, []Missing{{Reference{Kind: "Secret", Namespace: "a", Name: "mine"}, "boat", []string{"Pod a/one", "Pod a/two"}}}, missing)
}

// TestMissingObjectsOfEveryCluster: what Kubernetes itself has is there, and so is what a
// package says that its programs create.
func TestMissingObjectsOfEveryCluster(t *testing.T) {
	pod := `{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: one}, spec: {serviceAccountName: default, priorityClassName: system-node-critical, volumes: [{configMap: {name: kube-root-ca.crt}}, {secret: {secretName: later}}]}}`
	bindings := []string{
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {namespace: kube-system, name: b}, roleRef: {kind: Role, name: extension-apiserver-authentication-reader}}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, name: "system:auth-delegator"}}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: c}, roleRef: {kind: ClusterRole, name: cluster-admin}}`,
	}
	require.Equal(t, []string{"Secret a/later"}, missingIDs(t, sea(t, nil, nil, append(bindings, pod)...)))
	creates := []catalog.CreatedObject{{Kind: "Secret", Name: "later"}}
	require.Empty(t, missingIDs(t, sea(t, nil, creates, append(bindings, pod)...)))
}

func TestMissingObjectsInTexts(t *testing.T) {
	patterns := []catalog.TextReference{
		{Kind: "Middleware", Pattern: `(?:\.middlewares=|,)(?P<joined>[^,@]+)@crd`},
		{Kind: "Secret", Pattern: `^--secret=(?:(?P<namespace>[^/]+)/)?(?P<name>.+)$`},
	}
	pod := `{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: one}, spec: {containers: [{args: ["--e.middlewares=a-b-auth@crd,a-slow@crd,x@file", --secret=mine, --secret=a/made, --secret=b/theirs]}]}}`
	auth := `{apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {namespace: a-b, name: auth}}`
	require.Equal(t, []string{"Middleware a-slow", "Secret a/mine", "Secret b/theirs"}, missingIDs(t, sea(t, patterns, nil, pod, auth)))
}

func TestMissingObjectsThatAreDeclared(t *testing.T) {
	patterns := []catalog.TextReference{{Kind: "Middleware", Pattern: `=(?P<joined>[^,@]+)@crd`}}
	packages := sea(t, patterns, nil,
		`{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: one}, spec: {priorityClassName: high, imagePullSecrets: [{name: mine}], containers: [{args: [--middleware=a-auth@crd]}]}}`,
		`{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: two}, spec: {priorityClassName: high}}`)
	e := &catalog.Environment{Name: "small"}
	findings, err := missingObjects(e, packages, nil)
	require.NoError(t, err)
	require.Equal(t, []Finding{
		{"boat", "Middleware a-auth", RuleMissingObject, "Pod a/one refers to it, but no package renders it; correct the name, render it with an overlay, or, if others create it, add it to objects in config/small/environment.yml"},
		{"boat", "PriorityClass high", RuleMissingObject, "Pod a/one and 1 more refer to it, but no package renders it; correct the name, render it with an overlay, or, if others create it, add it to objects in config/small/environment.yml"},
		{"boat", "Secret a/mine", RuleMissingObject, "Pod a/one refers to it, but no package renders it; correct the name, render it with an overlay, or, if others create it, add it to objects in config/small/environment.yml"},
	}, findings)

	e.Objects = []catalog.DeclaredObject{{Kind: "Secret", Namespace: "b", Name: "mine"}, {Kind: "PriorityClass", Name: "high"}, {Kind: "Middleware", Namespace: "a", Name: "auth"}}
	findings, err = missingObjects(e, packages, objects(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: a, name: mine}}`))
	require.NoError(t, err)
	require.Empty(t, findings, "others render the Secret, and the rest is declared")

	packages[0].Objects = nil
	findings, err = missingObjects(&catalog.Environment{}, packages, nil)
	require.NoError(t, err)
	require.Empty(t, findings, "a package that does not render may have them")
}
