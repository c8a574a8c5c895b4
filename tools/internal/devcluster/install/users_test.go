package install

import (
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
)

// usersCluster has the install boats/harbour with the CRDs Boat and Rope, of
// which ropes outlive it.
func usersCluster(t *testing.T, more ...string) *Client {
	t.Helper()
	objects := []runtime.Object{parse(t, `
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: harbour, namespace: boats}`)}
	for _, text := range append([]string{`
apiVersion: v1
kind: ConfigMap
metadata: {name: harbour.app, namespace: boats}
data: {spec: '{"labelKey":"kapp.k14s.io/app","labelValue":"42"}'}`, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.strake.test, labels: {kapp.k14s.io/app: "42"}}
spec: {group: strake.test, names: {plural: boats}, versions: [{name: v1alpha1}, {name: v1, storage: true}]}`, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ropes.strake.test, labels: {kapp.k14s.io/app: "42"}, annotations: {kapp.k14s.io/delete-strategy: orphan}}
spec: {group: strake.test, names: {plural: ropes}, versions: [{name: v1, storage: true}]}`, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: others.strake.test}
spec: {group: strake.test, names: {plural: others}, versions: [{name: v1, storage: true}]}`}, more...) {
		objects = append(objects, parse(t, text))
	}
	kinds := map[schema.GroupVersionResource]string{crds(): "CustomResourceDefinitionList"}
	for _, plural := range []string{"boats", "ropes", "others"} {
		kinds[schema.GroupVersionResource{Group: "strake.test", Version: "v1", Resource: plural}] = "List"
	}
	for _, resource := range rightsResources() {
		kinds[resource] = "List"
	}
	return &Client{dynamic: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...)}
}

func TestUserObjects(t *testing.T) {
	c := usersCluster(t,
		"{apiVersion: strake.test/v1, kind: Boat, metadata: {name: mine, namespace: b}}",
		"{apiVersion: strake.test/v1, kind: Boat, metadata: {name: yours, namespace: a}}",
		`{apiVersion: strake.test/v1, kind: Boat, metadata: {name: of-the-package, namespace: a, labels: {kapp.k14s.io/app: "42"}}}`,
		"{apiVersion: strake.test/v1, kind: Boat, metadata: {name: derived, namespace: a, ownerReferences: [{kind: Boat, name: mine, controller: true}]}}",
		"{apiVersion: strake.test/v1, kind: Rope, metadata: {name: stays, namespace: a}}",
		"{apiVersion: strake.test/v1, kind: Other, metadata: {name: of-another-package, namespace: a}}",
	)
	found, err := c.UserObjects(t.Context(), "boats", "harbour")
	require.NoError(t, err)
	require.Equal(t, []UserObject{
		{"strake.test/v1", "Boat", "a", "yours"},
		{"strake.test/v1", "Boat", "b", "mine"},
	}, found)
}

func TestUserObjectsOfWhatWasNeverDeployed(t *testing.T) {
	found, err := usersCluster(t).UserObjects(t.Context(), "boats", "other")
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestUserObjectsRefuseARecordWithoutALabel(t *testing.T) {
	c := usersCluster(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: odd.app, namespace: boats}, data: {spec: '{}'}}")
	_, err := c.UserObjects(t.Context(), "boats", "odd")
	require.ErrorContains(t, err, "boats/odd.app names no label")
}

func TestDeleteOwnLeavesWhatOthersMade(t *testing.T) {
	tests := map[string]struct {
		manager string
		gone    bool
	}{"ours": {fieldManager, true}, "another's": {"kubectl", false}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			secret := "{apiVersion: v1, kind: Secret, metadata: {name: harbour-values, namespace: boats, managedFields: [{manager: " + test.manager + "}]}}"
			c := usersCluster(t, secret)
			require.NoError(t, c.deleteOwn(t.Context(), parse(t, secret)))
			_, err := c.resource(parse(t, secret)).Get(t.Context(), "harbour-values", metav1.GetOptions{})
			require.Equal(t, test.gone, apierrors.IsNotFound(err))
		})
	}
}

func TestInstalled(t *testing.T) {
	c := usersCluster(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: half-gone-installer, namespace: boats, labels: {strake.dev/install: boats.half-gone}}}")
	for name, want := range map[string]bool{"harbour": true, "half-gone": true, "other": false} {
		got, err := c.Installed(t.Context(), "boats", name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}
