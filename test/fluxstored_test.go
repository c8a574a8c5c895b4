package test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const helmReleases = "helmreleases.helm.toolkit.fluxcd.io"

// TestFluxRefusesToDropWhatIsStored has a CRD of an older Flux, whose objects are
// stored in a version that Flux has dropped since. The install says so before it
// changes anything, and goes on when nothing is stored in that version any more.
func TestFluxRefusesToDropWhatIsStored(t *testing.T) {
	c := onCluster(t)
	version := newestPicked(t, "flux")
	imagesWithinReach(t, "flux", version)
	c.startEmpty(t)
	t.Cleanup(func() { c.delete(t, crdKind, "", helmReleases) })
	c.apply(t, helmReleaseCRD("v2beta2"))
	c.waitStored(t, "v2beta2")
	c.apply(t, helmReleaseCRD("v2"))
	c.waitStored(t, "v2beta2", "v2")
	generation := c.get(t, crdKind, "", helmReleases).GetGeneration()

	_, err := strake(lasting(t), "", "requires", "flux@"+version, "--check", "--kubeconfig", shared.kubeconfig)
	require.ErrorContains(t, err, "the cluster stores objects of the CRD "+helmReleases+" as v2beta2, which flux "+version+" no longer has")
	_, err = up(lasting(t), "--package", "flux@"+version)
	require.ErrorContains(t, err, "nothing was changed: the cluster stores objects of the CRD "+helmReleases+" as v2beta2")
	require.ErrorContains(t, err, "flux migrate")
	require.Equal(t, generation, c.get(t, crdKind, "", helmReleases).GetGeneration())
	require.Nil(t, c.get(t, crdKind, "", "gitrepositories.source.toolkit.fluxcd.io"), "another CRD came")
	require.Nil(t, c.get(t, deploymentKind, "flux-system", "source-controller"), "the controllers came")

	c.forgetStored(t, "v2") // there is no object to write anew
	c.up(t, "flux@"+version)
	c.requireVersion(t, "flux", version)
	c.requireSteady(t, "flux")
}

// helmReleaseCRD is a CRD with two versions, of which one is stored.
func helmReleaseCRD(stored string) string {
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %s}
spec:
  group: helm.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: HelmRelease, listKind: HelmReleaseList, plural: helmreleases, singular: helmrelease, shortNames: [hr]}
  versions:
  - {name: v2beta2, served: true, storage: %t, schema: {openAPIV3Schema: {type: object}}}
  - {name: v2, served: true, storage: %t, schema: {openAPIV3Schema: {type: object}}}`,
		helmReleases, stored == "v2beta2", stored == "v2")
}

func (c *cluster) waitStored(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, time.Minute, "the API server stores HelmReleases", func() (bool, string) {
		stored, _, _ := unstructured.NestedStringSlice(c.get(t, crdKind, "", helmReleases).Object, "status", "storedVersions")
		return fmt.Sprint(stored) == fmt.Sprint(want), fmt.Sprint(stored)
	})
}

// forgetStored is what comes last when stored objects are migrated.
func (c *cluster) forgetStored(t *testing.T, only string) {
	t.Helper()
	resource, err := c.of(crdKind, "")
	require.NoError(t, err)
	patch := fmt.Sprintf(`{"status": {"storedVersions": [%q]}}`, only)
	_, err = resource.Patch(lasting(t), helmReleases, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: fieldManager}, "status")
	require.NoError(t, err)
}
