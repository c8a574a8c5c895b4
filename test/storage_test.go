package test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestClaimsBind proves that a development cluster has volumes: a program
// claims one, what it wrote outlives its pod, and the volume goes with the
// claim.
func TestClaimsBind(t *testing.T) {
	c := onCluster(t)
	namespace := c.namespace(t, "disk")
	c.apply(t, c.renderApp(t, "disk", map[string]any{"namespace": namespace}))
	ask := func(verb, body string) (string, error) {
		answer, err := c.typed.CoreV1().RESTClient().Verb(verb).Namespace(namespace).Resource("services").Name("disk:80").
			SubResource("proxy").Body(strings.NewReader(body)).DoRaw(t.Context())
		return string(answer), err
	}
	eventually(t, 2*time.Minute, "the program writes to its volume", func() (bool, string) {
		answer, err := ask("PUT", "kept")
		return err == nil, answer
	})

	pods := c.typed.CoreV1().Pods(namespace)
	require.NoError(t, pods.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=disk"}))
	eventually(t, 2*time.Minute, "another pod reads it", func() (bool, string) {
		answer, err := ask("GET", "")
		return err == nil && answer == "kept", answer
	})

	claim := c.get(t, kind("", "v1", "PersistentVolumeClaim"), namespace, "disk")
	volume, _ := claim.Object["spec"].(map[string]any)["volumeName"].(string)
	require.NotEmpty(t, volume)
	require.NoError(t, c.removeNamespace(lasting(t), namespace))
	eventually(t, time.Minute, "the volume goes with its claim", func() (bool, string) {
		return c.get(t, kind("", "v1", "PersistentVolume"), "", volume) == nil, volume
	})
}
