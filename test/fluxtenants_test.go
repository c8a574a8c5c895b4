package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestFluxKeepsTenantsApart has controllers that are not cluster-admin, and
// tenants whose Kustomizations and HelmReleases do what the ServiceAccount of
// their namespace may do, with the sources of their namespace.
func TestFluxKeepsTenantsApart(t *testing.T) {
	c := onCluster(t)
	version := newestPicked(t, "flux")
	imagesWithinReach(t, "flux", version)
	c.startEmpty(t)
	c.up(t, "flux@"+version)
	c.setValues(t, "flux", `multiTenancy: {lockdown: true}
rbac: {clusterAdmin: false}
sourceController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
kustomizeController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
helmController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
crds: {keep: false}
`)
	t.Run("work", func(t *testing.T) { fluxServesTenants(t, c) })
}

func fluxServesTenants(t *testing.T, c *cluster) {
	repository := serveGit(t, c)
	repository.commit(t, fluxApp("from-git", "first"), fluxChart())
	tenant, other := c.namespace(t, "flux-tenant"), c.namespace(t, "flux-other")
	c.apply(t, gitRepository(tenant, repository.url)+"\n---\n"+
		kustomization(tenant, "from-git", "GitRepository", "app")+"\n---\n"+helmRelease(tenant, "first"))
	c.waitRefused(t, tenant, "User \"system:serviceaccount:"+tenant+":default\" cannot")

	c.apply(t, mayEdit(tenant))
	c.waitMessage(t, tenant, "from-git", "first")
	c.waitMessage(t, tenant, "from-chart", "first")

	foreign := strings.Replace(kustomization(other, "from-git", "GitRepository", "app"), "name: app}", "name: app, namespace: "+tenant+"}", 1)
	c.apply(t, mayEdit(other)+"\n---\n"+foreign)
	c.waitRefused(t, other, "cross-namespace references have been blocked")
}

// waitRefused waits until the Kustomization from-git says why it fails.
func (c *cluster) waitRefused(t *testing.T, namespace, why string) {
	t.Helper()
	eventually(t, 2*time.Minute, "the Kustomization in "+namespace+" is refused", func() (bool, string) {
		object := c.get(t, kustomizationKind, namespace, "from-git")
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		return condition(object, "Ready") == "False" && strings.Contains(fmt.Sprint(conditions), why), c.sayFlux(t, namespace)
	})
}

// mayEdit lets the default ServiceAccount of a namespace edit what is in it.
func mayEdit(namespace string) string {
	return fmt.Sprintf(`apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects:
- {kind: ServiceAccount, name: default, namespace: %[1]s}`, namespace)
}
