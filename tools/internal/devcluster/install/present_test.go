package install

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
)

func TestPresent(t *testing.T) {
	done := "status: {observedGeneration: 1, version: 1.2.0, conditions: [{type: ReconcileSucceeded, status: 'True'}]}"
	failed := "status: {observedGeneration: 1, version: 2.0.0, conditions: [{type: ReconcileFailed, status: 'True'}]}"
	install := func(namespace, name, status string) runtime.Object {
		return parse(t, "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {generation: 1, name: "+name+", namespace: "+namespace+
			"}\nspec: {packageRef: {refName: "+name+".strake.test}}\n"+status)
	}
	kinds := map[schema.GroupVersionResource]string{
		installs(): "PackageInstallList",
	}
	c := &Client{dynamic: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds,
		install("a", "boat", done), install("b", "boat", failed), install("b", "sail", done), install("b", "mast", ""))}
	present, err := c.Present(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"boat.strake.test": {"1.2.0"}, "sail.strake.test": {"1.2.0"}}, present)
}
