package test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lagScaledObject lets KEDA ask NATS how many messages wait for the workers'
// consumer: one pod for each five of them.
const lagScaledObject = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker, namespace: NAMESPACE}
spec:
  scaleTargetRef: {name: worker}
  minReplicaCount: 0
  maxReplicaCount: 3
  pollingInterval: 2
  cooldownPeriod: 5
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown: {stabilizationWindowSeconds: 0}
  triggers:
  - type: nats-jetstream
    metadata:
      natsServerMonitoringEndpoint: nats.NAMESPACE.svc:8222
      account: $G
      stream: jobs
      consumer: workers
      lagThreshold: "5"`

// kedaScalesOnLag fills a stream of a real broker: its lag brings workers, and
// they empty it and go.
func kedaScalesOnLag(t *testing.T, c *cluster) {
	t.Helper()
	namespace := c.namespace(t, "lag")
	c.apply(t, c.renderApp(t, "nats", map[string]any{"namespace": namespace}))
	c.waitReady(t, namespace, "nats")
	c.apply(t, c.renderApp(t, "queue", map[string]any{"namespace": namespace, "workers": true}))
	c.waitReady(t, namespace, "queue")
	c.apply(t, strings.ReplaceAll(lagScaledObject, "NAMESPACE", namespace))
	c.waitReplicas(t, namespace, 0)

	_, err := c.ask(t, namespace, "queue", "POST", "/send?count=300", nil)
	require.NoError(t, err)
	c.waitReplicas(t, namespace, 3)
	c.waitReplicas(t, namespace, 0)
	require.Zero(t, c.lag(t, namespace), "the workers went before the stream was empty")
}

// lag is the number of messages that no worker has finished.
func (c *cluster) lag(t *testing.T, namespace string) int {
	t.Helper()
	data, err := c.typed.CoreV1().Services(namespace).ProxyGet("http", "nats", "8222", "/jsz", map[string]string{"consumers": "true"}).DoRaw(t.Context())
	require.NoError(t, err)
	var report struct {
		Accounts []struct {
			Streams []struct {
				Consumers []struct {
					Pending int `json:"num_pending"`
					Taken   int `json:"num_ack_pending"`
				} `json:"consumer_detail"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	require.NoError(t, json.Unmarshal(data, &report))
	require.Len(t, report.Accounts, 1, string(data))
	consumer := report.Accounts[0].Streams[0].Consumers[0]
	return consumer.Pending + consumer.Taken
}
