package test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// examplesRun proves each example of a package that is installed: it ends with the
// value that its last step waits for, and --delete leaves nothing.
func examplesRun(t *testing.T, c *cluster, name string) {
	out, err := strake(t.Context(), "", "example", "-o", "json")
	require.NoError(t, err)
	var examples []struct{ Package, Example string }
	require.NoError(t, json.Unmarshal([]byte(out), &examples))
	for _, e := range examples {
		if e.Package == name {
			t.Run("example "+e.Example, func(t *testing.T) { exampleRuns(t, c, e.Package, e.Example) })
		}
	}
}

func exampleRuns(t *testing.T, c *cluster, name, example string) {
	args := []string{"example", name, example, "--kubeconfig", shared.kubeconfig}
	var result struct {
		Namespace string
		Steps     []struct {
			Values []struct{ Value string }
		}
	}
	t.Cleanup(func() {
		_, err := strake(lasting(t), "", append(args, "--delete")...)
		require.NoError(t, err)
		if result.Namespace != "" {
			require.Nil(t, c.get(t, namespaceKind, "", result.Namespace))
		}
	})
	out, err := strake(t.Context(), "", append(args, "-o", "json")...)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &result))
	for _, step := range result.Steps {
		require.NotEmpty(t, step.Values)
		t.Logf("%v", step.Values)
	}
	_, err = strake(t.Context(), "", append(args, "-o", "json")...)
	require.NoError(t, err, "it can be repeated")
}
