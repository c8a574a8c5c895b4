package install

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
)

func TestDropped(t *testing.T) {
	const crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.strake.test}\n"
	cluster := parse(t, crd+"spec: {versions: [{name: v1alpha1}, {name: v1beta1}, {name: v1}]}\nstatus: {storedVersions: [v1alpha1, v1beta1, v1]}\n")
	kinds := map[schema.GroupVersionResource]string{crds(): "CustomResourceDefinitionList"}
	c := &Client{dynamic: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, cluster)}
	for versions, want := range map[string][]string{
		"[{name: v1}, {name: v2}]":                        {"v1alpha1", "v1beta1"},
		"[{name: v1beta1}, {name: v1}]":                   {"v1alpha1"},
		"[{name: v1alpha1}, {name: v1beta1}, {name: v1}]": {},
	} {
		dropped, err := c.Dropped(t.Context(), parse(t, crd+"spec: {versions: "+versions+"}\n"))
		require.NoError(t, err)
		require.Equal(t, want, dropped, versions)
	}
	dropped, err := c.Dropped(t.Context(), parse(t, "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ropes.strake.test}\n"))
	require.NoError(t, err)
	require.Empty(t, dropped, "the cluster has no such CRD")
}
