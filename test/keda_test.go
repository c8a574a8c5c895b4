package test

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// kedaWorks scales by a metric that this test serves, and by a real broker.
func kedaWorks(t *testing.T, c *cluster) {
	t.Run("by a metric", func(t *testing.T) { kedaScales(t, c) })
	t.Run("by a broker's lag", func(t *testing.T) { kedaScalesOnLag(t, c) })
}

// kedaScales lets a metrics API, served by this test, drive a Deployment: the
// operator takes it from 0 to 1, the HPA and KEDA's external metrics API to 3,
// and the cooldown back to 0.
func kedaScales(t *testing.T, c *cluster) {
	api := serveMetric(t, c)
	namespace := c.namespace(t, "scale")
	c.apply(t, scaledDeployment(namespace, c.appImage(t, "hello")))
	c.apply(t, scaledObject(namespace, api.url))

	c.waitReplicas(t, namespace, 0)
	asked := api.requests.Load()
	eventually(t, time.Minute, "KEDA asks the metrics API", func() (bool, string) {
		return api.requests.Load() > asked, fmt.Sprint(api.requests.Load(), " requests")
	})
	c.waitReplicas(t, namespace, 0)

	api.value.Store(30) // three times the target
	c.waitReplicas(t, namespace, 3)

	api.value.Store(0)
	c.waitReplicas(t, namespace, 0)
}

func (c *cluster) waitReplicas(t *testing.T, namespace string, want int64) {
	t.Helper()
	eventually(t, 3*time.Minute, fmt.Sprintf("the Deployment has %d replicas", want), func() (bool, string) {
		deployment := c.get(t, deploymentKind, namespace, "worker")
		asked, _, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
		ready, _, _ := unstructured.NestedInt64(deployment.Object, "status", "readyReplicas")
		return asked == want && ready == want, fmt.Sprintf("%d asked for, %d ready; the ScaledObject: %v", asked, ready, c.scaledObjectStatus(t, namespace))
	})
}

func (c *cluster) scaledObjectStatus(t *testing.T, namespace string) any {
	t.Helper()
	object := c.get(t, kind("keda.sh", "v1alpha1", "ScaledObject"), namespace, "worker")
	if object == nil {
		return "none"
	}
	return object.Object["status"]
}

// metricsAPI is what KEDA's metrics-api trigger asks.
type metricsAPI struct {
	url      string
	value    atomic.Int64
	requests atomic.Int64
}

// serveMetric listens on the host's address in the nodes' network, which pods
// reach, until the test ends.
func serveMetric(t *testing.T, c *cluster) *metricsAPI {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(hostAddress(t, c), "0"))
	require.NoError(t, err)
	api := &metricsAPI{url: fmt.Sprintf("http://%s/queue", listener.Addr())}
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			api.requests.Add(1)
			fmt.Fprintf(w, `{"length": %d}`, api.value.Load())
		}),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return api
}

func scaledDeployment(namespace, image string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: worker, namespace: %s}
spec:
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: worker
        image: %s
        resources: {requests: {cpu: 1m, memory: 4Mi}}`, namespace, image)
}

func scaledObject(namespace, url string) string {
	return fmt.Sprintf(`apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker, namespace: %s}
spec:
  scaleTargetRef: {name: worker}
  minReplicaCount: 0
  maxReplicaCount: 5
  pollingInterval: 2
  cooldownPeriod: 5
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown: {stabilizationWindowSeconds: 0}
  triggers:
  - type: metrics-api
    metadata:
      url: %s
      valueLocation: length
      targetValue: "10"`, namespace, url)
}
