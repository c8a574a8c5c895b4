package test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// operatorAllocatesTargets: the collector learns from the target allocator what to
// scrape (here itself), since its own configuration no longer says it.
func (c *cluster) operatorAllocatesTargets(t *testing.T, namespace string, receiver *telemetryReceiver) {
	c.apply(t, scrapingCollector(namespace, receiver.url))
	receiver.wait(t, "metrics", "by-the-allocator", nil)
	require.Contains(t, c.imageOf(t, namespace, "scrapes-targetallocator", "ta-container"), "sha256:")

	config := c.get(t, configMapKind, namespace, configOf(t, c, namespace, "scrapes-collector"))
	data, _, _ := unstructured.NestedStringMap(config.Object, "data")
	require.Contains(t, data["collector.yaml"], "target_allocator:")
	require.NotContains(t, data["collector.yaml"], "job_name: allocated")
}

// configOf is the ConfigMap that a collector's pod mounts; its name has a hash.
func configOf(t *testing.T, c *cluster, namespace, statefulSet string) string {
	t.Helper()
	object := c.get(t, kind("apps", "v1", "StatefulSet"), namespace, statefulSet)
	volumes, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "volumes")
	for _, volume := range volumes {
		if name, found, _ := unstructured.NestedString(volume.(map[string]any), "configMap", "name"); found {
			return name
		}
	}
	t.Fatalf("%s mounts no ConfigMap", statefulSet)
	return ""
}

// scrapingCollector comes with the right to see the collectors' pods, which the
// operator does not give to the target allocator.
func scrapingCollector(namespace, url string) string {
	return fmt.Sprintf(`apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: scrapes, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: scrapes-targetallocator, namespace: %[1]s}]
---
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: scrapes, namespace: %[1]s}
spec:
  mode: statefulset
  resources: {requests: {cpu: 1m, memory: 32Mi}}
  targetAllocator: {enabled: true, resources: {requests: {cpu: 1m, memory: 32Mi}}}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: allocated
            scrape_interval: 2s
            static_configs: [{targets: ["localhost:8888"], labels: {found: by-the-allocator}}]
        target_allocator: {http_sd_config: {refresh_interval: 2s}}
    exporters: {otlp_http: {endpoint: %[2]q, encoding: json, compression: none}}
    service:
      pipelines:
        metrics: {receivers: [prometheus], exporters: [otlp_http]}`, namespace, url)
}
