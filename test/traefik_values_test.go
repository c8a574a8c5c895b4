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

// Values whose defaults a development cluster does not try: an autoscaler that
// owns the number of pods, a port that only root may use by default, and a
// Gateway of the package's own on it.
const traefikValues = `service: {type: NodePort}
resources: {requests: {cpu: 5m, memory: 32Mi}}
autoscaling: {enabled: true, minReplicas: 2}
entryPoints: {web: {port: 80}}
providers: {ingress: {enabled: false}, gateway: {enabled: true}}
gateway: {create: true}`

func TestTraefikWithAnAutoscalerAndPortsBelow1024(t *testing.T) {
	c := onCluster(t)
	newest := newestPicked(t, "traefik")
	c.startEmpty(t)
	c.uninstall(t, namesOf(c.up(t, "traefik@"+newest)), "--delete-objects") // its image is in the cluster's registry now
	namespace := c.namespace(t, "values")
	c.apply(t, installer(namespace)+"\n---\n"+packageInstall(namespace, "traefik", "traefik.strake.internal", newest, traefikValues))
	t.Cleanup(func() { c.withdraw(t, namespace, "traefik") })
	c.waitReconciled(t, packageInstallKind, namespace, "traefik")

	c.waitTraefiks(t, 2)
	app := c.kick(t, namespace, "traefik")
	stdout, _, _ := unstructured.NestedString(app.Object, "status", "deploy", "stdout")
	require.Contains(t, stdout, "0 create, 0 delete, 0 update", "kapp takes the autoscaler's number for drift:\n%s", stdout)
	// A change of the Deployment is where a single pod would be left.
	c.patch(t, secretKind, namespace, "traefik-values", fmt.Sprintf(`{"stringData":{"values.yml":%q}}`, traefikValues+"\npodAnnotations: {changed: \"yes\"}"))
	c.kick(t, namespace, "traefik")
	time.Sleep(20 * time.Second) // the autoscaler looks every 15 seconds
	require.EqualValues(t, 1, c.rescaled(t), "an update changed the autoscaler's number, and it had to set it again")
	c.waitTraefiks(t, 2)

	c.apply(t, c.renderApp(t, "hello", map[string]any{"namespace": namespace}))
	c.apply(t, strings.ReplaceAll(`apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: hello, namespace: NAMESPACE}
spec:
  parentRefs:
  - {name: traefik, namespace: traefik}
  hostnames: [hello.NAMESPACE.test]
  rules:
  - backendRefs:
    - {name: hello, port: 80}`, "NAMESPACE", namespace))
	requireAnswer(t, "http://"+c.entrance(t, "web"), "hello."+namespace+".test", "the package's Gateway on port 80")
}

// rescaled is how often the autoscaler has set the number of pods.
func (c *cluster) rescaled(t *testing.T) (times int32) {
	t.Helper()
	events, err := c.typed.CoreV1().Events(traefikNamespace).List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	for _, event := range events.Items {
		if event.InvolvedObject.Kind == "HorizontalPodAutoscaler" && event.Reason == "SuccessfulRescale" {
			times += event.Count
		}
	}
	return times
}

func (c *cluster) waitTraefiks(t *testing.T, want int64) {
	t.Helper()
	eventually(t, 2*time.Minute, fmt.Sprintf("Traefik has %d pods", want), func() (bool, string) {
		deployment := c.get(t, deploymentKind, traefikNamespace, "traefik")
		asked, _, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
		ready, _, _ := unstructured.NestedInt64(deployment.Object, "status", "readyReplicas")
		return asked == want && ready == want, fmt.Sprintf("%d asked for, %d ready", asked, ready)
	})
}
