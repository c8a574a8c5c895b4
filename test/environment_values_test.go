package test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// oneNode is a file of values that, laid over those of an environment, let all of
// it run on one machine without load balancers: pods ask for what those of the
// development environment do. Everything else stays as it is.
func oneNode(t *testing.T) string {
	t.Helper()
	over := requestsOf(environmentValues(t, "dev"))
	require.NoError(t, unstructured.SetNestedField(over, "NodePort", "packages", "traefik", "values", "service", "type"))
	return valuesFile(t, over)
}

// lastingScheduler are values that give an environment the scheduler of Dapr that
// production has: the members of its etcd and their storage stay what they were at
// the first, so whoever wants to move there begins with it.
func lastingScheduler() map[string]any {
	scheduler := map[string]any{"replicas": 3, "storage": map[string]any{"kind": "volume"}}
	return map[string]any{"packages": map[string]any{"dapr": map[string]any{"values": map[string]any{"scheduler": scheduler}}}}
}

func environmentValues(t *testing.T, environment string) (values map[string]any) {
	t.Helper()
	text, err := strake(lasting(t), "", "env", "values", environment)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal([]byte(text), &values))
	return values
}

// requestsOf leaves nothing of a tree but what is in maps called requests.
func requestsOf(tree map[string]any) map[string]any {
	left := map[string]any{}
	for key, value := range tree {
		below, ok := value.(map[string]any)
		if !ok {
			continue
		}
		if key != "requests" {
			below = requestsOf(below)
		}
		if len(below) > 0 {
			left[key] = below
		}
	}
	return left
}

// valuesFile writes values into a file of the test's.
func valuesFile(t *testing.T, values any) string {
	t.Helper()
	text, err := yaml.Marshal(values)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

func TestRequestsOf(t *testing.T) {
	requests := map[string]any{"requests": map[string]any{"cpu": "1"}}
	tree := map[string]any{"a": map[string]any{"resources": map[string]any{"requests": requests["requests"], "limits": map[string]any{"cpu": "2"}}, "b": "c"}}
	require.Equal(t, map[string]any{"a": map[string]any{"resources": requests}}, requestsOf(tree))
}
