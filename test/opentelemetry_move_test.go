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

// ancient is a release of the operator before 0.122.0, which writes the address
// of a collector's own metrics in another way.
const ancient = "0.121.0"

// collectorsMove shows what the operator's move does to collectors that are there:
// it brings their objects to its release, unless they say upgradeStrategy: none.
// The image is another matter: who names none runs the operator's, either way.
func collectorsMove(t *testing.T, c *cluster, move func()) {
	namespace := c.namespace(t, "moved")
	c.apply(t, plainCollector(namespace, "follows", "{}")+"\n---\n"+plainCollector(namespace, "stays", "{upgradeStrategy: none}"))
	c.applyAncient(t, namespace, "ancient-follows", "automatic")
	c.applyAncient(t, namespace, "ancient-stays", "none")
	c.waitReady(t, namespace, "follows-collector")
	c.waitReady(t, namespace, "stays-collector")

	before := c.versionOf(t, operatorPackage)
	c.waitCollector(t, namespace, "follows", before)
	c.waitCollector(t, namespace, "stays", before)
	image, kept := c.runs(t, namespace, "stays-collector"), c.get(t, otelCollectorKind, namespace, "stays")

	move()

	after := c.versionOf(t, operatorPackage)
	c.waitCollector(t, namespace, "follows", after)
	eventually(t, 2*time.Minute, "the new operator reconciles", func() (bool, string) {
		now := c.runs(t, namespace, "stays-collector")
		return now != image, now
	})
	c.waitReady(t, namespace, "follows-collector")
	c.waitReady(t, namespace, "stays-collector")
	require.Equal(t, c.runs(t, namespace, "follows-collector"), c.runs(t, namespace, "stays-collector"))
	stays := c.get(t, otelCollectorKind, namespace, "stays")
	require.Equal(t, kept.Object["spec"], stays.Object["spec"])
	require.Equal(t, kept.GetGeneration(), stays.GetGeneration())
	require.Equal(t, before, collectorVersion(stays))

	c.requireConfigRewritten(t, namespace, after)
}

// requireConfigRewritten lets the operator have the objects of the ancient
// release, which it has left alone until now.
func (c *cluster) requireConfigRewritten(t *testing.T, namespace, version string) {
	t.Helper()
	for _, name := range []string{"ancient-follows", "ancient-stays"} {
		require.Equal(t, map[string]any{"address": "0.0.0.0:8888"}, c.metricsOf(t, namespace, name))
		c.patch(t, otelCollectorKind, namespace, name, `{"spec":{"managementState":"managed"}}`)
	}
	c.waitCollector(t, namespace, "ancient-follows", version)
	rewritten := c.metricsOf(t, namespace, "ancient-follows")
	require.Contains(t, rewritten, "readers")
	require.Empty(t, rewritten["address"])

	eventually(t, time.Minute, "the operator reconciles ancient-stays", func() (bool, string) {
		return c.get(t, deploymentKind, namespace, "ancient-stays-collector") != nil, "no Deployment"
	})
	require.Equal(t, map[string]any{"address": "0.0.0.0:8888"}, c.metricsOf(t, namespace, "ancient-stays"))
	require.Equal(t, ancient, collectorVersion(c.get(t, otelCollectorKind, namespace, "ancient-stays")))
}

// plainCollector names no image. More is merged into its spec.
func plainCollector(namespace, name, more string) string {
	return fmt.Sprintf(`apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: %s, namespace: %s}
spec:
  <<: %s
  resources: {requests: {cpu: 1m, memory: 32Mi}}
  config:
    receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:4318"}}}}
    exporters: {debug: {}}
    service:
      pipelines:
        traces: {receivers: [otlp], exporters: [debug]}`, name, namespace, more)
}

// applyAncient leaves an object as the ancient release would have left it, which
// no operator has seen since. It runs no pod: collectors of today refuse it.
func (c *cluster) applyAncient(t *testing.T, namespace, name, strategy string) {
	t.Helper()
	c.apply(t, plainCollector(namespace, name, "{replicas: 0, managementState: unmanaged, upgradeStrategy: "+strategy+"}")+`
      telemetry: {metrics: {address: "0.0.0.0:8888"}}`)
	resource, err := c.of(otelCollectorKind, namespace)
	require.NoError(t, err)
	_, err = resource.Patch(lasting(t), name, types.MergePatchType, []byte(`{"status":{"version":"`+ancient+`"}}`), metav1.PatchOptions{}, "status")
	require.NoError(t, err)
}

// waitCollector waits until the operator has noted its version.
func (c *cluster) waitCollector(t *testing.T, namespace, name, version string) {
	t.Helper()
	eventually(t, 2*time.Minute, name+" is of "+version, func() (bool, string) {
		now := collectorVersion(c.get(t, otelCollectorKind, namespace, name))
		return now == version, now
	})
}

func collectorVersion(object *unstructured.Unstructured) string {
	version, _, _ := unstructured.NestedString(object.Object, "status", "version")
	return version
}

// metricsOf is what a collector's object says of the collector's own metrics.
func (c *cluster) metricsOf(t *testing.T, namespace, name string) map[string]any {
	t.Helper()
	object := c.get(t, otelCollectorKind, namespace, name)
	metrics, _, err := unstructured.NestedMap(object.Object, "spec", "config", "service", "telemetry", "metrics")
	require.NoError(t, err)
	return metrics
}

// runs is the image that a Deployment names.
func (c *cluster) runs(t *testing.T, namespace, deployment string) string {
	t.Helper()
	found, err := c.typed.AppsV1().Deployments(namespace).Get(lasting(t), deployment, metav1.GetOptions{})
	require.NoError(t, err)
	return found.Spec.Template.Spec.Containers[0].Image
}
