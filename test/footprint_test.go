package test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// logFootprint tells what the pods of each namespace request and what they
// use at this moment, and the sums.
func (c *cluster) logFootprint(t *testing.T) {
	t.Helper()
	total := map[string]corev1.ResourceList{}
	pods, err := c.typed.CoreV1().Pods("").List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	for _, pod := range pods.Items {
		for _, container := range pod.Spec.Containers {
			for _, of := range []string{pod.Namespace, "all pods"} {
				total[of] = plus(total[of], container.Resources.Requests)
			}
		}
	}
	used := c.memoryUsed(t)
	for _, of := range sortedKeys(total) {
		memory := resource.NewQuantity(used[of]>>20<<20, resource.BinarySI)
		requests := total[of]
		t.Logf("%s: requests %s of CPU and %s of memory; uses %s of memory", of, requests.Cpu(), requests.Memory(), memory)
	}
}

func plus(a, b corev1.ResourceList) corev1.ResourceList {
	sum := corev1.ResourceList{}
	for _, list := range []corev1.ResourceList{a, b} {
		for name, quantity := range list {
			total := sum[name]
			total.Add(quantity)
			sum[name] = total
		}
	}
	return sum
}

// memoryUsed are the working sets, in bytes, that the kubelets report for the
// pods of each namespace.
func (c *cluster) memoryUsed(t *testing.T) map[string]int64 {
	t.Helper()
	used := map[string]int64{}
	nodes, err := c.typed.CoreV1().Nodes().List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	for _, node := range nodes.Items {
		data, err := c.typed.CoreV1().RESTClient().Get().Resource("nodes").Name(node.Name).
			SubResource("proxy", "stats", "summary").DoRaw(lasting(t))
		require.NoError(t, err)
		var summary struct {
			Pods []struct {
				PodRef struct{ Namespace string }
				Memory struct{ WorkingSetBytes int64 }
			}
		}
		require.NoError(t, json.Unmarshal(data, &summary))
		for _, pod := range summary.Pods {
			used[pod.PodRef.Namespace] += pod.Memory.WorkingSetBytes
			used["all pods"] += pod.Memory.WorkingSetBytes
		}
	}
	return used
}
