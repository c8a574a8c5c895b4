package test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	operatorPackage   = "opentelemetry-operator"
	operatorNamespace = "opentelemetry-operator-system"
)

var (
	instrumentationKind = kind("opentelemetry.io", "v1alpha1", "Instrumentation")
	otelCollectorKind   = kind("opentelemetry.io", "v1beta1", "OpenTelemetryCollector")
)

// operatorWorks instruments programs that know nothing of the cluster, with the
// collector's package beside it: by the settings of an Instrumentation, and by
// a sidecar.
func operatorWorks(t *testing.T, c *cluster) {
	c.requireCAEverywhere(t)
	c.install(t, collectorPackage+"@"+collectorOf(t, c.versionOf(t, operatorPackage)))
	receiver := c.gatherInto(t)
	namespace := c.namespace(t, "instrumented")

	t.Run("settings of the SDK", func(t *testing.T) { c.operatorInjectsSettings(t, namespace, receiver) })
	t.Run("a sidecar", func(t *testing.T) { c.operatorInjectsSidecar(t, namespace, receiver) })
	t.Run("no image that is not locked", func(t *testing.T) { c.operatorKnowsOnlyLockedImages(t, namespace) })
	t.Run("an older version of a collector's object", func(t *testing.T) { c.operatorConverts(t, namespace) })
	t.Run("other protocols", func(t *testing.T) { c.operatorReceivesOtherProtocols(t, namespace, receiver) })
	t.Run("targets to scrape", func(t *testing.T) { c.operatorAllocatesTargets(t, namespace, receiver) })
	t.Run("certificates that are about to end", func(t *testing.T) { c.operatorRenewsCertificates(t, namespace) })
}

// collectorOf is the version of the collector's package whose build a version of
// the operator's runs by default.
func collectorOf(t *testing.T, operator string) string {
	t.Helper()
	var version struct {
		From map[string]string `json:"from"`
	}
	require.NoError(t, readYAML(filepath.Join("..", "packages", operatorPackage, operator, "version.yml"), &version))
	require.Contains(t, version.From, collectorPackage)
	return version.From[collectorPackage]
}

// requireCAEverywhere: the rotator is ready, so every webhook and the CRD have
// the CA of the secret.
func (c *cluster) requireCAEverywhere(t *testing.T) {
	t.Helper()
	require.Contains(t, string(c.certificate(t, "ca.crt")), "BEGIN CERTIFICATE")
	require.Empty(t, c.lackingCA(t))
}

// lackingCA names those who have not been told the CA of the secret.
func (c *cluster) lackingCA(t *testing.T) []string {
	t.Helper()
	ca := base64.StdEncoding.EncodeToString(c.certificate(t, "ca.crt"))
	var lacking []string
	ask := func(name string, object map[string]any, fields ...string) {
		if told, _, _ := unstructured.NestedString(object, fields...); told != ca {
			lacking = append(lacking, name)
		}
	}
	for _, of := range []string{"Mutating", "Validating"} {
		configuration := c.get(t, kind("admissionregistration.k8s.io", "v1", of+"WebhookConfiguration"), "",
			"opentelemetry-operator-"+strings.ToLower(of)+"-webhook-configuration")
		webhooks, _, _ := unstructured.NestedSlice(configuration.Object, "webhooks")
		require.NotEmpty(t, webhooks)
		for _, webhook := range webhooks {
			ask(of+" webhook", webhook.(map[string]any), "clientConfig", "caBundle")
		}
	}
	crd := c.get(t, kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "", "opentelemetrycollectors.opentelemetry.io")
	ask("CRD", crd.Object, "spec", "conversion", "webhook", "clientConfig", "caBundle")
	return lacking
}

func instrumentation(namespace string) string {
	return fmt.Sprintf(`apiVersion: opentelemetry.io/v1alpha1
kind: Instrumentation
metadata: {name: settings, namespace: %s}
spec:
  exporter: {endpoint: %q}
  propagators: [tracecontext, baggage]
  sampler: {type: parentbased_always_on}
  resource:
    resourceAttributes: {team: platform}`, namespace, agentEndpoint)
}

// operatorInjectsSettings: the program's own environment is empty.
func (c *cluster) operatorInjectsSettings(t *testing.T, namespace string, receiver *telemetryReceiver) {
	c.apply(t, instrumentation(namespace))
	c.waitInjects(t, namespace, "instrumentation.opentelemetry.io/inject-sdk")
	c.apply(t, c.renderApp(t, "telemetry", map[string]any{"namespace": namespace, "name": "by-settings",
		"annotations": map[string]any{"instrumentation.opentelemetry.io/inject-sdk": "true"}}))
	receiver.waitAll(t, map[string]string{
		"service.name": "by-settings", "team": "platform", "k8s.namespace.name": namespace, "k8s.deployment.name": "by-settings",
		"k8s.pod.name": "", "k8s.container.name": "telemetry", "k8s.pod.start_time": "", "k8s.pod.label.app": "by-settings",
	})
}

// waitInjects waits until the operator has seen what it injects from: a pod that
// asks for it by an annotation, and is not really made, comes back changed.
func (c *cluster) waitInjects(t *testing.T, namespace, annotation string) {
	t.Helper()
	asks := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "asks", Namespace: namespace, Annotations: map[string]string{annotation: "true"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "asks", Image: "none"}}},
	}
	eventually(t, time.Minute, "the operator injects by "+annotation, func() (bool, string) {
		pod, err := c.typed.CoreV1().Pods(namespace).Create(lasting(t), asks, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		require.NoError(t, err)
		changed := len(pod.Spec.Containers)+len(pod.Spec.InitContainers) > 1 || len(pod.Spec.Containers[0].Env) > 0
		return changed, c.operatorLog(t)
	})
}

// sidecarCollector sends to the test by itself and marks what it sends.
func sidecarCollector(namespace, url string) string {
	return fmt.Sprintf(`apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: beside, namespace: %s}
spec:
  mode: sidecar
  upgradeStrategy: none
  resources: {requests: {cpu: 1m, memory: 32Mi}}
  config:
    receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:4318"}}}}
    processors: {resource: {attributes: [{key: via, value: sidecar, action: insert}]}}
    exporters: {otlp_http: {endpoint: %q, encoding: json, compression: none}}
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [resource], exporters: [otlp_http]}
        metrics: {receivers: [otlp], processors: [resource], exporters: [otlp_http]}
        logs: {receivers: [otlp], processors: [resource], exporters: [otlp_http]}`, namespace, url)
}

// operatorInjectsSidecar: the program sends to its own pod, where the SDK's
// default looks for a collector. The sidecar is the collector's package's build.
func (c *cluster) operatorInjectsSidecar(t *testing.T, namespace string, receiver *telemetryReceiver) {
	c.apply(t, sidecarCollector(namespace, receiver.url))
	c.waitInjects(t, namespace, "sidecar.opentelemetry.io/inject")
	c.apply(t, c.renderApp(t, "telemetry", map[string]any{"namespace": namespace, "name": "with-sidecar",
		"annotations": map[string]any{"sidecar.opentelemetry.io/inject": "true"},
		"env": []any{
			map[string]any{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://localhost:4318"},
			map[string]any{"name": "OTEL_SERVICE_NAME", "value": "with-sidecar"},
		}}))
	receiver.waitAll(t, map[string]string{"service.name": "with-sidecar", "via": "sidecar"})
	require.Equal(t, c.imageOf(t, collectorNamespace, "opentelemetry-collector-gateway", "collector"),
		c.imageOf(t, namespace, "with-sidecar", "otc-container"), "the operator's default is the collector's package's build")
}

// imageOf is the image of a container, native sidecars included, of the pod
// that a Deployment has, as the node knows it: without the registry's name.
func (c *cluster) imageOf(t *testing.T, namespace, deployment, container string) string {
	t.Helper()
	pods, err := c.typed.CoreV1().Pods(namespace).List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	for _, pod := range pods.Items {
		if !strings.HasPrefix(pod.Name, deployment+"-") {
			continue
		}
		for _, one := range append(pod.Spec.Containers, pod.Spec.InitContainers...) {
			if one.Name == container {
				require.Contains(t, one.Image, c.registry.RegistryCluster+"/", "an image of the cluster's registry")
				_, digest, _ := strings.Cut(one.Image, "@")
				return digest
			}
		}
	}
	t.Fatalf("no container %s in a pod of %s", container, deployment)
	return ""
}

// operatorKnowsOnlyLockedImages: no compiled-in name of an image reaches an
// object, and a pod that asks for a language without an image is started as it
// is, with a word in the operator's log.
func (c *cluster) operatorKnowsOnlyLockedImages(t *testing.T, namespace string) {
	object := c.get(t, instrumentationKind, namespace, "settings")
	spec, err := json.Marshal(object.Object["spec"])
	require.NoError(t, err)
	require.NotContains(t, string(spec), "ghcr.io")
	require.NotContains(t, fmt.Sprint(object.GetAnnotations()), "ghcr.io")

	c.apply(t, c.renderApp(t, "telemetry", map[string]any{"namespace": namespace, "name": "in-java",
		"annotations": map[string]any{"instrumentation.opentelemetry.io/inject-java": "true"}}))
	c.waitReady(t, namespace, "in-java")
	pods, err := c.typed.CoreV1().Pods(namespace).List(lasting(t), metav1.ListOptions{LabelSelector: "app=in-java"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	require.Len(t, append(pods.Items[0].Spec.Containers, pods.Items[0].Spec.InitContainers...), 1)
	require.Contains(t, c.operatorLog(t), "support for Java auto instrumentation is not enabled")
}

func (c *cluster) operatorLog(t *testing.T) string {
	t.Helper()
	pods, err := c.typed.CoreV1().Pods(operatorNamespace).List(lasting(t), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=opentelemetry-operator"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	text, err := c.typed.CoreV1().Pods(operatorNamespace).GetLogs(pods.Items[0].Name, &corev1.PodLogOptions{}).DoRaw(lasting(t))
	require.NoError(t, err)
	return string(text)
}

// operatorConverts: the API server asks the conversion webhook for the version
// that is not stored, and the validating one whether an object can work.
func (c *cluster) operatorConverts(t *testing.T, namespace string) {
	older := c.get(t, kind("opentelemetry.io", "v1alpha1", "OpenTelemetryCollector"), namespace, "beside")
	config, _, _ := unstructured.NestedString(older.Object, "spec", "config")
	require.Contains(t, config, "pipelines:", "the older version has the configuration as a text")

	resource, err := c.of(otelCollectorKind, namespace)
	require.NoError(t, err)
	broken := &unstructured.Unstructured{Object: map[string]any{"spec": c.get(t, otelCollectorKind, namespace, "beside").Object["spec"]}}
	broken.SetGroupVersionKind(otelCollectorKind)
	broken.SetName("broken")
	require.NoError(t, unstructured.SetNestedSlice(broken.Object, []any{map[string]any{"operator": "Exists"}}, "spec", "tolerations"))
	_, err = resource.Create(lasting(t), broken, metav1.CreateOptions{})
	require.ErrorContains(t, err, "tolerations", "a sidecar has its pod's")
}
