package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHelloAnswers proves the way of a test program from its source to the
// cluster, which the work of packages builds on.
func TestHelloAnswers(t *testing.T) {
	c := onCluster(t)
	namespace := c.namespace(t, "hello")
	c.apply(t, c.renderApp(t, "hello", map[string]any{"namespace": namespace, "target": "the test"}))
	eventually(t, 2*time.Minute, "hello answers", func() (bool, string) {
		answer, err := c.typed.CoreV1().Services(namespace).ProxyGet("http", "hello", "80", "/", nil).DoRaw(t.Context())
		if err != nil {
			return false, err.Error()
		}
		require.Contains(t, string(answer), "Hello the test from hello-")
		return true, ""
	})
}
