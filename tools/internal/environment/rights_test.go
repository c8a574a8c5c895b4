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
	records = `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: record}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [create, delete, get, list, update]}]}`
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
			platform := Package{Version: &catalog.Version{Package: &catalog.Package{Name: "platform"}}, Objects: objectsOf(t, test.granted...)}
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

func TestExcessRights(t *testing.T) {
	const (
		given  = `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "packages:boat-installer:rights", namespace: sea}, rules: [{apiGroups: [""], resources: [services], verbs: [get]}]}`
		bound  = `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: g, namespace: sea}, roleRef: {kind: Role, name: "packages:boat-installer:rights"}, subjects: [{kind: ServiceAccount, name: boat-installer, namespace: packages}]}`
		tokens = `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: boat}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [list]}, {apiGroups: [""], resources: [serviceaccounts/token, serviceaccounts], verbs: [create]}]}`
	)
	for name, test := range map[string]struct {
		granted []string
		want    []string
	}{
		"escalates": {[]string{role, binding, tokens, all}, []string{
			"boat: serviceaccounts/token *: the account boat-installer may create this in all namespaces, which no object of the package requires; remove the rule from packages.boat.rights",
		}},
		"given in vain": {[]string{role, binding, cluster, all, given, bound}, []string{
			"boat: services sea/*: the account boat-installer may get this in the namespace sea",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			platform := Package{Version: &catalog.Version{Package: &catalog.Package{Name: "platform"}}, Objects: objectsOf(t, append(test.granted, record)...)}
			boat := Package{
				Version:   &catalog.Version{Package: &catalog.Package{Name: "boat"}},
				Installer: rbac.Account{Name: "boat-installer", Namespace: "packages", Install: "boat"},
				Objects:   objectsOf(t, buoys),
			}
			findings, err := rights([]Package{platform, boat}, "small")
			require.NoError(t, err)
			var excess []Finding
			for _, f := range findings {
				if f.Rule == RuleExcessRight {
					excess = append(excess, f)
				}
			}
			require.Len(t, excess, len(test.want))
			for i, f := range excess {
				require.Contains(t, f.String(), test.want[i])
			}
		})
	}
}

// What two packages render is a matter of who owns it, and not of a missing right; what
// has no name hides nothing else.
func TestRightsOfOthersObjects(t *testing.T) {
	boat := Package{
		Version:   &catalog.Version{Package: &catalog.Package{Name: "boat"}},
		Installer: rbac.Account{Name: "boat-installer", Namespace: "packages", Install: "boat"},
		Objects:   objectsOf(t, buoys, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: sea}}`),
	}
	platform := Package{
		Version: &catalog.Version{Package: &catalog.Package{Name: "platform"}},
		Objects: objectsOf(t, buoys, cluster, all, record, records),
	}
	findings, err := rights([]Package{platform, boat}, "small")
	require.NoError(t, err)
	require.Empty(t, findings)
	rendered := Stored([]Package{platform, boat})
	found := ownersOf(rendered).duplicates(rendered)
	require.Len(t, found, 1)
	require.Equal(t, "boat: ConfigMap sea/buoys: the packages boat, platform render it, and kapp lets only one install own it; leave it out of all but one (duplicate-object)", found[0].String())
	rendered = Rendered{"boat": objectsOf(t, buoys, buoys)}
	found = ownersOf(rendered).duplicates(rendered)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Message, "boat renders it 2 times")
}
