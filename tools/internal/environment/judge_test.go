package environment_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// requests are what all pods ask for: thousandths of a core, and MiB.
func requests(t *testing.T, packages []environment.Package) (cpu, memory int64) {
	t.Helper()
	for _, p := range packages {
		for _, o := range p.Objects {
			if o.GroupVersionKind().Group != "apps" {
				continue
			}
			count := pods(t, p.Objects, o)
			for _, c := range containers(podSpec(t, o)) {
				cpu += count * quantity(t, c, "cpu").MilliValue()
				memory += count * quantity(t, c, "memory").Value() >> 20
			}
		}
	}
	return cpu, memory
}

func quantity(t *testing.T, container map[string]any, name string) *resource.Quantity {
	t.Helper()
	text, found, err := unstructured.NestedString(container, "resources", "requests", name)
	require.NoError(t, err)
	require.True(t, found, "%v asks for no %s", container["name"], name)
	q, err := resource.ParseQuantity(text)
	require.NoError(t, err)
	return &q
}

// pods is how many pods a workload has at least: what an autoscaler says where
// there is one, and else its own number; a DaemonSet counts once.
func pods(t *testing.T, all []manifest.Object, o manifest.Object) int64 {
	t.Helper()
	for _, other := range all {
		target, _, _ := unstructured.NestedString(other.Object, "spec", "scaleTargetRef", "name")
		if other.GetKind() == "HorizontalPodAutoscaler" && target == o.GetName() && other.GetNamespace() == o.GetNamespace() {
			least, _, err := unstructured.NestedInt64(other.Object, "spec", "minReplicas")
			require.NoError(t, err)
			return least
		}
	}
	count, found, err := unstructured.NestedInt64(o.Object, "spec", "replicas")
	require.NoError(t, err)
	if !found {
		return 1
	}
	return count
}

func hasBudget(t *testing.T, all []manifest.Object, o manifest.Object) bool {
	t.Helper()
	has, _, err := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
	require.NoError(t, err)
	for _, other := range all {
		if other.GetKind() != "PodDisruptionBudget" || other.GetNamespace() != o.GetNamespace() {
			continue
		}
		wanted, _, err := unstructured.NestedStringMap(other.Object, "spec", "selector", "matchLabels")
		require.NoError(t, err)
		if len(wanted) > 0 && labels.SelectorFromSet(wanted).Matches(labels.Set(has)) {
			return true
		}
	}
	return false
}

// requireRestricted looks for what the restricted Pod Security Standard forbids
// and packages could have.
func requireRestricted(t *testing.T, at string, spec map[string]any) {
	t.Helper()
	require.NotEqual(t, true, spec["hostNetwork"], at)
	volumes, _, err := unstructured.NestedSlice(spec, "volumes")
	require.NoError(t, err)
	for _, volume := range volumes {
		require.NotContains(t, volume, "hostPath", at)
	}
	pod, _, err := unstructured.NestedMap(spec, "securityContext")
	require.NoError(t, err)
	for _, c := range containers(spec) {
		own, _, err := unstructured.NestedMap(c, "securityContext")
		require.NoError(t, err)
		require.Equal(t, false, own["allowPrivilegeEscalation"], at)
		require.True(t, own["runAsNonRoot"] == true || own["runAsNonRoot"] == nil && pod["runAsNonRoot"] == true, at)
		require.True(t, own["seccompProfile"] != nil || pod["seccompProfile"] != nil, at)
		dropped, _, err := unstructured.NestedStringSlice(own, "capabilities", "drop")
		require.NoError(t, err)
		require.Contains(t, dropped, "ALL", at)
		ports, _, err := unstructured.NestedSlice(c, "ports")
		require.NoError(t, err)
		for _, port := range ports {
			require.NotContains(t, port, "hostPort", at)
		}
	}
}

func containers(spec map[string]any) []map[string]any {
	var all []map[string]any
	for _, field := range []string{"initContainers", "containers"} {
		list, _, _ := unstructured.NestedSlice(spec, field)
		for _, item := range list {
			if c, ok := item.(map[string]any); ok {
				all = append(all, c)
			}
		}
	}
	return all
}

func images(spec map[string]any) []string {
	var all []string
	for _, c := range containers(spec) {
		image, _ := c["image"].(string)
		all = append(all, image)
	}
	return all
}

var url = regexp.MustCompile(`\b(?:https?|oci|git|ssh)://(\[[^\]]*\]|[^\s/:"'\\,)]+)`)

// hosts are those of the URLs in a text.
func hosts(text string) []string {
	var found []string
	for _, match := range url.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// inside tells a name or address of the cluster: a Service, the own machine, or
// what a program puts in by itself.
func inside(host string) bool {
	return !strings.Contains(host, ".") || strings.HasPrefix(host, "$") || strings.HasPrefix(host, "[") ||
		strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local") ||
		host == "127.0.0.1" || host == "0.0.0.0"
}
