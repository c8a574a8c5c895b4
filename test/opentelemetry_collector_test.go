package test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	collectorPackage   = "opentelemetry-collector"
	collectorNamespace = "opentelemetry-collector"
	agentEndpoint      = "http://opentelemetry-collector-agent.opentelemetry-collector.svc:4318"
)

// collectorWorks lets a program send to the agent of its node, which hands it
// to the gateway, which sends it to this test: with what the cluster knows of
// the pod, beside what the agent gathers by itself.
func collectorWorks(t *testing.T, c *cluster) {
	receiver := c.gatherInto(t)
	namespace := c.namespace(t, "telemetry")
	c.apply(t, c.renderApp(t, "telemetry", map[string]any{"namespace": namespace, "env": []any{
		map[string]any{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": agentEndpoint},
		map[string]any{"name": "OTEL_SERVICE_NAME", "value": "by-itself"},
	}}))

	receiver.waitAll(t, map[string]string{
		"service.name": "by-itself", "k8s.namespace.name": namespace, "k8s.deployment.name": "telemetry",
		"k8s.pod.name": "", "k8s.pod.uid": "", "k8s.pod.start_time": "", "k8s.node.name": "", "k8s.pod.label.app": "telemetry",
	})
	require.Equal(t, "plain", receiver.header("X-Plain"))
	require.Equal(t, "a token", receiver.header("X-Secret"))

	receiver.wait(t, "logs", "by stdout", map[string]string{"k8s.namespace.name": namespace, "k8s.container.name": "telemetry"})
	receiver.wait(t, "metrics", "k8s.pod.memory.working_set", map[string]string{"k8s.namespace.name": namespace})
	receiver.wait(t, "metrics", "system.cpu.time", nil)

	t.Run("samples whole traces", func(t *testing.T) { c.collectorSamples(t, receiver) })
	t.Run("watches objects of the cluster", func(t *testing.T) { c.collectorWatches(t, receiver) })
}

// collectorWatches lets the elected replica of the gateway read the cluster's objects,
// with the permissions that the package derives from the configuration.
func (c *cluster) collectorWatches(t *testing.T, receiver *telemetryReceiver) {
	c.setValues(t, collectorPackage, sendTo(receiver)+`    receivers:
      k8s_cluster: {collection_interval: 2s, k8s_leader_elector: k8s_leader_elector}
      k8s_objects: {objects: [{name: pods, mode: pull, interval: 2s}], k8s_leader_elector: k8s_leader_elector}
    extensions:
      k8s_leader_elector: {lease_name: gateway, lease_namespace: `+collectorNamespace+`}
    service:
      extensions: [health_check, k8s_leader_elector]
      pipelines:
        metrics: {receivers: [otlp, k8s_cluster]}
        logs: {receivers: [otlp, k8s_objects]}
`)
	receiver.wait(t, "metrics", "k8s.deployment.available", map[string]string{"k8s.deployment.name": "opentelemetry-collector-gateway"})
	receiver.wait(t, "logs", "k8s.resource.name", nil)
}

// collectorSamples keeps the traces of one service and none of another, whose
// logs still come.
func (c *cluster) collectorSamples(t *testing.T, receiver *telemetryReceiver) {
	c.setValues(t, collectorPackage, sendTo(receiver)+`  tailSampling:
    enabled: true
    decisionWait: 1s
    policies: [{name: chosen, type: string_attribute, string_attribute: {key: service.name, values: [kept]}}]
`)
	namespace := c.namespace(t, "sampled")
	for _, name := range []string{"dropped", "kept"} {
		c.apply(t, c.renderApp(t, "telemetry", map[string]any{"namespace": namespace, "name": name, "env": []any{
			map[string]any{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": agentEndpoint},
			map[string]any{"name": "OTEL_SERVICE_NAME", "value": name},
		}}))
		receiver.wait(t, "logs", "round 5 by OTLP", map[string]string{"service.name": name})
	}
	receiver.wait(t, "traces", `"round"`, map[string]string{"service.name": "kept"})
	require.False(t, receiver.has("traces", `"round"`, map[string]string{"service.name": "dropped"}))
}

// gatherInto makes the collectors of the package, which is installed, send to
// a receiver of the test, until the test ends.
func (c *cluster) gatherInto(t *testing.T) *telemetryReceiver {
	t.Helper()
	receiver := receiveTelemetry(t, c)
	c.apply(t, `apiVersion: v1
kind: Secret
metadata: {name: backend, namespace: `+collectorNamespace+`}
stringData: {token: a token}`)
	before := c.valuesOf(t, collectorPackage)
	t.Cleanup(func() {
		// Whoever installed it may have removed it by now.
		if c.get(t, packageInstallKind, installNamespace, collectorPackage) != nil {
			c.setValues(t, collectorPackage, before)
			c.delete(t, secretKind, collectorNamespace, "backend")
		}
	})
	c.setValues(t, collectorPackage, sendTo(receiver))
	return receiver
}

// valuesOf are the values that `strake up` gave an install.
func (c *cluster) valuesOf(t *testing.T, name string) string {
	t.Helper()
	secret := c.get(t, secretKind, installNamespace, name+"-values")
	require.NotNil(t, secret)
	data, _, _ := unstructured.NestedStringMap(secret.Object, "data")
	require.Len(t, data, 1)
	for _, text := range data {
		values, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		return string(values)
	}
	return ""
}
