package devcluster

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func TestNodeTrouble(t *testing.T) {
	node := func(c ...corev1.NodeCondition) corev1.Node {
		return corev1.Node{Status: corev1.NodeStatus{Conditions: c}}
	}
	pressure := corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse}
	require.Empty(t, nodeTrouble(node(pressure, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue})))
	require.Equal(t, "no network", nodeTrouble(node(corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Message: "no network"})))
	require.Equal(t, "it has not reported yet", nodeTrouble(node(pressure)))
}
