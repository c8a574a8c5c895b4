package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var daprPrograms = []string{"caller", "answerer", "worker"}

// daprMoves shows what the move does to programs that run: nothing. They keep
// their pods and the sidecar of before, and work with the new control plane as
// they did, until they are restarted, as the release notes ask; then they have
// the new version's sidecar, and what they saved by the old one.
func daprMoves(t *testing.T, c *cluster, move func()) {
	namespace := c.namespace(t, "moved")
	c.applyDaprObjects(t, namespace)
	c.runDaprPrograms(t, namespace)
	old := c.injectedSidecar(t)
	before := c.requireSidecars(t, namespace, old)
	c.mustAsk(t, namespace, "caller", "POST", "/sidecar/v1.0/state/store", []map[string]any{{"key": "boat", "value": "launched"}})

	move()

	require.Contains(t, c.releaseNotes(t, "dapr", c.versionOf(t, "dapr")), "keep the previous sidecar until their pods restart")
	next := c.injectedSidecar(t)
	require.NotEqual(t, old, next)
	require.Equal(t, before, c.requireSidecars(t, namespace, old), "a pod was replaced, though nobody asked for it")
	c.requireDaprServes(t, namespace)

	for _, name := range daprPrograms {
		c.restart(t, namespace, name)
	}
	after := c.requireSidecars(t, namespace, next)
	for name, pod := range before {
		require.NotEqual(t, pod, after[name])
	}
	c.requireDaprServes(t, namespace)
}

// requireDaprServes calls from one sidecar to another, is refused where a policy
// says so, and finds what was saved before the move.
func (c *cluster) requireDaprServes(t *testing.T, namespace string) {
	t.Helper()
	c.daprCalls(t, namespace)
	require.Equal(t, `"launched"`, c.mustAsk(t, namespace, "caller", "GET", "/sidecar/v1.0/state/store/boat", nil))
}

// releaseNotes are what a version's Package tells whoever moves to it, in one line.
func (c *cluster) releaseNotes(t *testing.T, name, version string) string {
	t.Helper()
	offered := c.get(t, packageKind, installNamespace, name+"."+readCheckout(t).Domain+"."+version)
	require.NotNil(t, offered)
	notes, _, _ := unstructured.NestedString(offered.Object, "spec", "releaseNotes")
	return strings.Join(strings.Fields(notes), " ")
}

// injectedSidecar is the image that the injector puts into pods now.
func (c *cluster) injectedSidecar(t *testing.T) string {
	t.Helper()
	injector, err := c.typed.AppsV1().Deployments("dapr-system").Get(lasting(t), "dapr-sidecar-injector", metav1.GetOptions{})
	require.NoError(t, err)
	for _, variable := range injector.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "SIDECAR_IMAGE" {
			return variable.Value
		}
	}
	t.Fatal("the injector names no sidecar")
	return ""
}

// requireSidecars wants all programs to run a sidecar of this image, and answers
// with their pods.
func (c *cluster) requireSidecars(t *testing.T, namespace, image string) map[string]string {
	t.Helper()
	pods := map[string]string{}
	for _, name := range daprPrograms {
		pod := c.podOf(t, namespace, name)
		require.Equal(t, image, pod.sidecarImage, "the sidecar of %s", name)
		pods[name] = pod.name
	}
	return pods
}

// restart does what `kubectl rollout restart` does, and waits until the pods of
// before are gone.
func (c *cluster) restart(t *testing.T, namespace, deployment string) {
	t.Helper()
	c.patch(t, deploymentKind, namespace, deployment,
		fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339)))
	c.waitReady(t, namespace, deployment)
	eventually(t, time.Minute, deployment+" has one pod", func() (bool, string) {
		pods, err := c.typed.CoreV1().Pods(namespace).List(lasting(t), metav1.ListOptions{LabelSelector: "app=" + deployment})
		return err == nil && len(pods.Items) == 1, fmt.Sprint(err)
	})
}
