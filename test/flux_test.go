package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	kustomizationKind = kind("kustomize.toolkit.fluxcd.io", "v1", "Kustomization")
	gitRepositoryKind = kind("source.toolkit.fluxcd.io", "v1", "GitRepository")
	ociRepositoryKind = kind("source.toolkit.fluxcd.io", "v1", "OCIRepository")
	helmReleaseKind   = kind("helm.toolkit.fluxcd.io", "v2", "HelmRelease")
)

// tended is how often Flux looks at what a test made.
const tended = 5 * time.Second

// fluxDelivers has a git server on this machine and an artifact in the
// cluster's registry applied by Kustomizations, and a Helm chart of the git
// repository released. What somebody changes by hand is corrected, unless it
// is suspended, and what is no longer wanted is taken away.
func fluxDelivers(t *testing.T, c *cluster) {
	repository := serveGit(t, c)
	repository.commit(t, fluxApp("from-git", "first"), fluxChart())
	artifact := c.pushFluxArtifact(t, "latest", fluxApp("from-oci", "first"))
	namespace := c.namespace(t, "flux")
	c.apply(t, gitRepository(namespace, repository.url)+"\n---\n"+ociRepository(namespace, artifact)+"\n---\n"+
		kustomization(namespace, "from-git", "GitRepository", "app")+"\n---\n"+
		kustomization(namespace, "from-oci", "OCIRepository", "artifact")+"\n---\n"+helmRelease(namespace, "first"))
	for _, name := range []string{"from-git", "from-oci"} {
		c.waitFlux(t, kustomizationKind, namespace, name)
		c.waitMessage(t, namespace, name, "first")
	}
	c.waitFlux(t, helmReleaseKind, namespace, "from-chart")
	c.waitMessage(t, namespace, "from-chart", "first")

	// A commit and a new artifact arrive by themselves.
	repository.commit(t, fluxApp("from-git", "second"))
	c.pushFluxArtifact(t, "latest", fluxApp("from-oci", "second"))
	c.patch(t, helmReleaseKind, namespace, "from-chart", `{"spec":{"values":{"message":"second"}}}`)
	for _, name := range []string{"from-git", "from-oci", "from-chart"} {
		c.waitMessage(t, namespace, name, "second")
	}
	c.requireDriftCorrected(t, namespace)

	c.delete(t, kustomizationKind, namespace, "from-git")
	c.delete(t, helmReleaseKind, namespace, "from-chart")
	c.waitGone(t, configMapKind, namespace, "from-git")
	c.waitGone(t, configMapKind, namespace, "from-chart")
	c.waitMessage(t, namespace, "from-oci", "second")
}

// requireDriftCorrected changes by hand what Flux applied: it comes back, but
// only once its Kustomization or HelmRelease is not suspended.
func (c *cluster) requireDriftCorrected(t *testing.T, namespace string) {
	t.Helper()
	parts := map[string]schema.GroupVersionKind{"from-git": kustomizationKind, "from-oci": kustomizationKind, "from-chart": helmReleaseKind}
	for name := range parts {
		c.patch(t, configMapKind, namespace, name, `{"data":{"message":"by hand"}}`)
	}
	for name, gvk := range parts {
		c.waitMessage(t, namespace, name, "second")
		c.patch(t, gvk, namespace, name, `{"spec":{"suspend":true}}`)
		c.waitQuiet(t, gvk, namespace, name)
		c.patch(t, configMapKind, namespace, name, `{"data":{"message":"by hand"}}`)
	}
	time.Sleep(4 * tended)
	for name, gvk := range parts {
		require.Equal(t, "by hand", c.message(t, namespace, name), "%s is suspended, and was corrected all the same", name)
		c.patch(t, gvk, namespace, name, `{"spec":{"suspend":false}}`)
	}
	for name := range parts {
		c.waitMessage(t, namespace, name, "second")
	}
}

// waitQuiet waits until a reconciliation that began before the suspension is
// over.
func (c *cluster) waitQuiet(t *testing.T, gvk schema.GroupVersionKind, namespace, name string) {
	t.Helper()
	last := ""
	eventually(t, time.Minute, gvk.Kind+" "+name+" is at rest", func() (bool, string) {
		before := last
		last = c.get(t, gvk, namespace, name).GetResourceVersion()
		time.Sleep(time.Second)
		return last == before, last
	})
}

// waitFlux waits for one of Flux's objects, of its newest generation.
func (c *cluster) waitFlux(t *testing.T, gvk schema.GroupVersionKind, namespace, name string) {
	t.Helper()
	eventually(t, 3*time.Minute, gvk.Kind+" "+name+" is ready", func() (bool, string) {
		object := c.get(t, gvk, namespace, name)
		observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		return observed == object.GetGeneration() && condition(object, "Ready") == "True", c.sayFlux(t, namespace)
	})
}

// waitMessage waits for what one of the test's ConfigMaps says.
func (c *cluster) waitMessage(t *testing.T, namespace, name, want string) {
	t.Helper()
	eventually(t, 3*time.Minute, fmt.Sprintf("ConfigMap %s says %q", name, want), func() (bool, string) {
		found := c.message(t, namespace, name)
		return found == want, fmt.Sprintf("%q; %s", found, c.sayFlux(t, namespace))
	})
}

func (c *cluster) message(t *testing.T, namespace, name string) string {
	t.Helper()
	object := c.get(t, configMapKind, namespace, name)
	if object == nil {
		return ""
	}
	message, _, _ := unstructured.NestedString(object.Object, "data", "message")
	return message
}

func (c *cluster) waitGone(t *testing.T, gvk schema.GroupVersionKind, namespace, name string) {
	t.Helper()
	eventually(t, 2*time.Minute, gvk.Kind+" "+name+" is gone", func() (bool, string) {
		return c.get(t, gvk, namespace, name) == nil, c.sayFlux(t, namespace)
	})
}

// sayFlux is what Flux's objects of a namespace tell of themselves.
func (c *cluster) sayFlux(t *testing.T, namespace string) string {
	t.Helper()
	var lines []string
	for _, gvk := range []schema.GroupVersionKind{gitRepositoryKind, ociRepositoryKind, kustomizationKind, helmReleaseKind} {
		for _, name := range []string{"app", "artifact", "from-git", "from-oci", "from-chart"} {
			object := c.get(t, gvk, namespace, name)
			if object == nil {
				continue
			}
			conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
			lines = append(lines, fmt.Sprintf("\n  %s %s: %v", gvk.Kind, name, conditions))
		}
	}
	return strings.Join(lines, "")
}

// TestFluxLeavesWhatItApplied takes Flux away as its default values say: its
// CRDs, people's objects and what was applied from them stay. A Flux that is
// installed again goes on with them, and when that one is told to take its
// CRDs with it, everything goes, in an order in which its finalizers can act.
func TestFluxLeavesWhatItApplied(t *testing.T) {
	c := onCluster(t)
	newest := "flux@" + newestPicked(t, "flux")
	imagesWithinReach(t, "flux", newestPicked(t, "flux"))
	c.startEmpty(t)
	repository := serveGit(t, c)
	repository.commit(t, fluxApp("from-git", "first"), fluxChart())
	namespace := c.namespace(t, "flux-stays")
	before := c.snapshot(t)

	c.up(t, newest)
	c.setValues(t, "flux", "crds: {keep: true}")
	c.apply(t, gitRepository(namespace, repository.url)+"\n---\n"+
		kustomization(namespace, "from-git", "GitRepository", "app")+"\n---\n"+helmRelease(namespace, "first"))
	for _, name := range []string{"from-git", "from-chart"} {
		c.waitMessage(t, namespace, name, "first")
	}
	c.uninstall(t, c.installs(t), "--delete-objects")
	require.Nil(t, c.get(t, deploymentKind, "flux-system", "kustomize-controller"))
	require.NotNil(t, c.get(t, kustomizationKind, namespace, "from-git"))
	require.NotNil(t, c.get(t, kind("", "v1", "Namespace"), "", "flux-system"))
	require.Equal(t, "first", c.message(t, namespace, "from-git"))
	require.Equal(t, "first", c.message(t, namespace, "from-chart"))

	c.up(t, newest)
	repository.commit(t, fluxApp("from-git", "second"))
	c.waitMessage(t, namespace, "from-git", "second")
	c.uninstall(t, c.installs(t), "--delete-objects")
	c.requireNothingLeft(t, before)
}

// fluxApp is a kustomization of one ConfigMap, in the folder app.
func fluxApp(name, message string) map[string]string {
	return map[string]string{
		"app/kustomization.yaml": "resources: [message.yaml]\n",
		"app/message.yaml": fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {message: %q}\n",
			name, message),
	}
}

// fluxChart is a Helm chart of one ConfigMap, in the folder chart.
func fluxChart() map[string]string {
	return map[string]string{
		"chart/Chart.yaml":  "apiVersion: v2\nname: message\nversion: 0.1.0\n",
		"chart/values.yaml": "message: none\n",
		"chart/templates/message.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n" +
			"data: {message: {{ quote .Values.message }}}\n",
	}
}

func gitRepository(namespace, url string) string {
	return fmt.Sprintf(`apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: app, namespace: %s}
spec: {url: %q, ref: {branch: main}, interval: %s}`, namespace, url, tended)
}

// ociRepository reads from a registry without TLS, as the cluster's own is.
func ociRepository(namespace, reference string) string {
	return fmt.Sprintf(`apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: artifact, namespace: %s}
spec: {url: %q, ref: {tag: latest}, insecure: true, interval: %s}`, namespace, "oci://"+reference, tended)
}

func kustomization(namespace, name, sourceKind, source string) string {
	return fmt.Sprintf(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  sourceRef: {kind: %[3]s, name: %[4]s}
  path: ./app
  targetNamespace: %[1]s
  prune: true
  wait: true
  interval: %[5]s
  retryInterval: %[5]s`, namespace, name, sourceKind, source, tended)
}

func helmRelease(namespace, message string) string {
	return fmt.Sprintf(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: from-chart, namespace: %[1]s}
spec:
  interval: %[2]s
  chart:
    spec:
      chart: chart
      interval: %[2]s
      sourceRef: {kind: GitRepository, name: app}
  driftDetection: {mode: enabled}
  values: {message: %[3]q}`, namespace, tended, message)
}
