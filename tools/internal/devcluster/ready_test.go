package devcluster

import (
	"context"
	"errors"
	"testing"
	"time"

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

func TestUntil(t *testing.T) {
	asked := 0
	require.NoError(t, until(t.Context(), func(context.Context) error {
		asked++
		if asked == 1 {
			return errors.New("not yet")
		}
		return nil
	}))
	require.Equal(t, 2, asked)

	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("after a while"))
	defer cancel()
	err := until(ctx, func(context.Context) error { return errors.New("no node") })
	require.EqualError(t, err, "no node (after a while)")
}
