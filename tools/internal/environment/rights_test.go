package environment

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

func objectsOf(t *testing.T, documents ...string) []manifest.Object {
	t.Helper()
	var objects []manifest.Object
	for _, document := range documents {
		o := manifest.Object{Unstructured: &unstructured.Unstructured{}}
		require.NoError(t, yaml.Unmarshal([]byte(document), &o.Object))
		objects = append(objects, o)
	}
	return objects
}

const (
	buoys   = `{apiVersion: v1, kind: ConfigMap, metadata: {name: buoys, namespace: sea}}`
	role    = `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: boat, namespace: sea}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [create, delete, get, list, update]}]}`
	binding = `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: boat, namespace: sea}, roleRef: {kind: Role, name: boat}, subjects: [{kind: ServiceAccount, name: boat-installer, namespace: packages}]}`
	other   = `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: boat, namespace: sea}, roleRef: {kind: Role, name: boat}, subjects: [{kind: ServiceAccount, name: raft-installer, namespace: packages}]}`
	cluster = `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: boat}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [list]}]}`
	all     = `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: boat}, roleRef: {kind: ClusterRole, name: boat}, subjects: [{kind: ServiceAccount, name: boat-installer, namespace: packages}]}`
	record  = `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: record, namespace: packages}, roleRef: {kind: ClusterRole, name: record}, subjects: [{kind: ServiceAccount, name: boat-installer, namespace: packages}]}`
	records = `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: record}, rules: [{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]}`
)

func TestRights(t *testing.T) {
	for name, test := range map[string]struct {
		granted []string
		want    []string
	}{
		"all that is needed": {[]string{role, binding, cluster, all, record, records}, nil},
		"nothing of the cluster": {[]string{role, binding, record, records}, []string{
			"boat: namespaces *: the account boat-installer may not list this in all namespaces",
		}},
		"another account's": {[]string{role, other, cluster, all, record, records}, []string{
			"boat: configmaps sea/buoys: the account boat-installer may not delete, get, update this in the namespace sea",
			"boat: configmaps sea/*: the account boat-installer may not create, list this in the namespace sea",
		}},
		"a binding without its role": {[]string{role, binding, all, record, records}, []string{
			"boat: namespaces *: the account boat-installer may not list this in all namespaces",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			platform := Package{Objects: objectsOf(t, test.granted...)}
			boat := Package{
				Version:   &catalog.Version{Package: &catalog.Package{Name: "boat"}},
				Installer: rbac.Account{Name: "boat-installer", Namespace: "packages", Install: "boat"},
				Objects:   objectsOf(t, buoys),
			}
			findings, err := rights([]Package{platform, boat}, "small")
			require.NoError(t, err)
			require.Len(t, findings, len(test.want))
			for i, f := range findings {
				require.Contains(t, f.String(), test.want[i])
				require.Contains(t, f.Message, "packages.boat.rights in config/small/values.yml")
			}
		})
	}
	findings, err := rights(nil, "small")
	require.NoError(t, err)
	require.Empty(t, findings, "where the platform does not render")
}
