package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// statusRow is the part of `strake status -o json` that tests read.
type statusRow struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Ready   bool   `json:"ready"`
	Reason  string `json:"reason"`
	Drift   []struct{ Op, Object, Diff string }
}

// status runs `strake status --drift` and returns its exit code.
func status(t *testing.T, names ...string) (rows []statusRow, code int) {
	t.Helper()
	args := []string{"status", "--kubeconfig", shared.kubeconfig, "--namespace", installNamespace, "--drift", "-o", "json"}
	out, err := strake(t.Context(), "", append(args, names...)...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &rows), out)
	return rows, code
}

// statusShows sees that what is installed is ready and as its package says it, and
// that a Deployment which somebody scales by hand is not. Looking changes nothing.
func (c *cluster) statusShows(t *testing.T, installed []installedAs) {
	records := c.recordVersions(t, installed)
	rows, code := status(t, namesOf(installed)...)
	require.Len(t, rows, len(installed))
	for _, i := range installed {
		for _, row := range rows {
			if row.Name == i.Name {
				require.True(t, row.Ready, "%+v", row)
				require.Equal(t, i.Version, row.Version)
				require.Empty(t, row.Drift, i.Name)
			}
		}
	}
	require.Zero(t, code)

	name, deployment := c.unscaled(t, installed)
	if deployment == nil {
		t.Skip("SKIPPED: each Deployment here has a HorizontalPodAutoscaler, whose replicas kapp leaves alone")
	}
	replicas, _, err := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
	require.NoError(t, err)
	scale := func(to int64) {
		c.patch(t, deploymentKind, deployment.GetNamespace(), deployment.GetName(), fmt.Sprintf(`{"spec":{"replicas":%d}}`, to))
	}
	scale(replicas + 1)
	defer scale(replicas)
	rows, code = status(t, name)
	require.Equal(t, 3, code)
	require.Len(t, rows, 1)
	require.Len(t, rows[0].Drift, 1)
	require.Equal(t, "update", rows[0].Drift[0].Op)
	require.Contains(t, rows[0].Drift[0].Object, "deployment/"+deployment.GetName()+" ")
	require.Contains(t, rows[0].Drift[0].Diff, fmt.Sprintf("replicas: %d", replicas))

	require.Equal(t, records, c.recordVersions(t, installed))
}

// recordVersions are the resource versions of kapp's records.
func (c *cluster) recordVersions(t *testing.T, installed []installedAs) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, i := range installed {
		record := c.get(t, configMapKind, i.Namespace, i.Name+".app")
		require.NotNil(t, record, i.Name)
		versions[i.Name] = record.GetResourceVersion()
	}
	return versions
}

// unscaled is the first Deployment that no HorizontalPodAutoscaler scales, and the
// install that it is of.
func (c *cluster) unscaled(t *testing.T, installed []installedAs) (name string, found *unstructured.Unstructured) {
	t.Helper()
	scaled := map[string]bool{}
	for _, scaler := range c.selected(t, kind("autoscaling", "v2", "HorizontalPodAutoscaler"), "") {
		target, _, _ := unstructured.NestedString(scaler.Object, "spec", "scaleTargetRef", "name")
		scaled[scaler.GetNamespace()+"/"+target] = true
	}
	for _, i := range installed {
		for _, d := range c.selected(t, deploymentKind, c.appLabel(t, i.Namespace, i.Name)) {
			if !scaled[d.GetNamespace()+"/"+d.GetName()] {
				return i.Name, &d
			}
		}
	}
	return "", nil
}

// selected are the objects of a kind in all namespaces that a label selects.
func (c *cluster) selected(t *testing.T, gvk schema.GroupVersionKind, label string) []unstructured.Unstructured {
	t.Helper()
	resource, err := c.of(gvk, "")
	require.NoError(t, err)
	list, err := resource.List(lasting(t), metav1.ListOptions{LabelSelector: label})
	require.NoError(t, err)
	return list.Items
}
