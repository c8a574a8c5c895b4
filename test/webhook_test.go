package test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// webhookHungUp tells of an API server that sent its question over a connection
// which the webhook closed at that moment. The API server does not ask again, so it
// is for clients to. A move ends the older webhook's pod, and with it the connections
// that the API server has kept: Knative's closes them when no question has come for 45
// seconds (Drain in knative.dev/pkg/network/handlers/drain.go), which was seen once in
// the minute after a move. A webhook that is not there is another error: nobody answers.
func webhookHungUp(err error) bool {
	return apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed to call webhook") && strings.HasSuffix(err.Error(), ": EOF")
}

func TestWebhookHungUp(t *testing.T) {
	call := func(end string) error {
		err := errors.New(`failed calling webhook "a.b": failed to call webhook: Post "https://a.b.svc:443/c?timeout=10s": ` + end)
		return fmt.Errorf("applying x: %w", apierrors.NewInternalError(err))
	}
	require.True(t, webhookHungUp(call("EOF")))
	require.False(t, webhookHungUp(call("dial tcp 10.96.0.9:443: connect: connection refused")))
	require.False(t, webhookHungUp(call("context deadline exceeded")))
	require.False(t, webhookHungUp(fmt.Errorf("applying x: %w", apierrors.NewInternalError(errors.New("reading: EOF")))))
	require.False(t, webhookHungUp(apierrors.NewBadRequest(`admission webhook "a.b" denied the request: failed to call webhook: EOF`)))
	require.False(t, webhookHungUp(nil))
}
