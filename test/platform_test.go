package test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// platformName is the package that installs others.
const platformName = "platform"

// platformPart is how much of the development environment the test's cluster gets:
// KEDA, whose values are broken, and two packages of which one needs the other.
var platformPart = []string{"keda", "knative-serving", "traefik"}

// platformValues are those of the environment dev with only these packages enabled.
func platformValues(t *testing.T, enabled ...string) map[string]any {
	t.Helper()
	out, err := strake(lasting(t), "", "env", "values", "dev")
	require.NoError(t, err)
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(out), &values))
	packages, _ := values["packages"].(map[string]any)
	for name, entry := range packages {
		entry.(map[string]any)["enabled"] = slices.Contains(enabled, name)
	}
	for _, name := range enabled {
		require.Contains(t, packages, name)
	}
	values["namespace"] = installNamespace
	return values
}

// upPlatform installs the platform with these packages, or changes it.
func (c *cluster) upPlatform(t *testing.T, enabled ...string) {
	t.Helper()
	file := valuesFile(t, platformValues(t, enabled...))
	begin := time.Now()
	_, err := up(lasting(t), "--package", platformName, "--values", platformName+"="+file)
	require.NoError(t, err)
	t.Logf("the platform with %v: %s", enabled, time.Since(begin).Round(time.Second))
}

// platformInstalls is the platform's work: its packages are there, in the order of
// their needs and each by an account of its own; nothing changes by itself or by a
// wrong value; and what is no longer enabled goes.
func platformInstalls(t *testing.T, c *cluster) {
	for _, name := range platformPart {
		c.waitReconciled(t, packageInstallKind, installNamespace, name)
		c.requireNoAdministrator(t, installedAs{Namespace: installNamespace, Name: name})
		c.requireSteady(t, name)
	}
	c.requireSteady(t, platformName)
	t.Run("needs come first", func(t *testing.T) { c.requireOrder(t, "traefik", "knative-serving") })
	t.Run("a wrong value changes nothing", func(t *testing.T) { wrongValue(t, c) })
	t.Run("what is no longer enabled goes", func(t *testing.T) { removedPackage(t, c) })
}

// requireOrder: all Deployments of the first package were available before the
// second one was begun.
func (c *cluster) requireOrder(t *testing.T, first, second string) {
	t.Helper()
	begun := c.get(t, packageInstallKind, installNamespace, second).GetCreationTimestamp().Time
	found := 0
	c.eachObject(t, c.appLabel(t, installNamespace, first), func(o *unstructured.Unstructured) {
		if o.GetKind() != "Deployment" {
			return
		}
		found++
		require.False(t, o.GetCreationTimestamp().After(begun), "%s was made after %s was begun", identify(o), second)
		conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
		for _, entry := range conditions {
			condition, _ := entry.(map[string]any)
			if condition["type"] != "Available" {
				continue
			}
			at, err := time.Parse(time.RFC3339, fmt.Sprint(condition["lastTransitionTime"]))
			require.NoError(t, err)
			require.False(t, at.After(begun), "%s was available at %s, and %s begun at %s", identify(o), at, second, begun)
		}
	})
	require.NotZero(t, found, "%s has no Deployment", first)
}

// wrongValue gives the platform a key that KEDA does not have, past `strake up`,
// which would refuse it, and takes it back.
func wrongValue(t *testing.T, c *cluster) {
	before := map[string]map[string]string{}
	for _, name := range append([]string{platformName}, platformPart...) {
		before[name] = c.settled(t, name)
	}
	values := platformValues(t, platformPart...)
	right, err := yaml.Marshal(values)
	require.NoError(t, err)
	keda := values["packages"].(map[string]any)["keda"].(map[string]any)["values"].(map[string]any)
	keda["operater"] = map[string]any{"replicas": 3}
	wrong, err := yaml.Marshal(values)
	require.NoError(t, err)

	c.giveValues(t, platformName, wrong)
	t.Cleanup(func() { c.giveValues(t, platformName, right) })
	eventually(t, 2*time.Minute, "the platform refuses the key", func() (bool, string) {
		object := c.get(t, packageInstallKind, installNamespace, platformName)
		failure, _, _ := unstructured.NestedString(object.Object, "status", "usefulErrorMessage")
		if condition(object, "ReconcileFailed") != "True" {
			return false, failure
		}
		require.Contains(t, failure, "operater")
		return true, ""
	})
	for _, name := range slices.Sorted(maps.Keys(before)) {
		require.Empty(t, differences(before[name], c.owned(t, name)), name)
	}
	c.giveValues(t, platformName, right)
	c.waitReconciled(t, packageInstallKind, installNamespace, platformName)
}

// giveValues changes the secret of an install that `strake up` made. kapp-controller
// sees it and reconciles.
func (c *cluster) giveValues(t *testing.T, name string, values []byte) {
	t.Helper()
	text, err := yaml.Marshal(map[string]any{"stringData": map[string]string{"values.yml": string(values)}})
	require.NoError(t, err)
	patch, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	c.patch(t, secretKind, installNamespace, name+"-values", string(patch))
}

// removedPackage leaves KEDA out: it goes with its namespace, its account and all
// that it had, and the others stay as they are. Then it comes back.
func removedPackage(t *testing.T, c *cluster) {
	const removed = "keda"
	label := c.appLabel(t, installNamespace, removed)
	rest := without(platformPart, []string{removed})
	before := map[string]map[string]string{}
	for _, name := range rest {
		before[name] = c.settled(t, name)
	}
	c.upPlatform(t, rest...)
	require.Nil(t, c.get(t, packageInstallKind, installNamespace, removed))
	require.Nil(t, c.get(t, appKind, installNamespace, removed))
	require.Nil(t, c.get(t, serviceAccountKind, installNamespace, removed+"-installer"))
	require.Nil(t, c.get(t, namespaceKind, "", removed))
	var left []string
	c.eachObject(t, label, func(o *unstructured.Unstructured) { left = append(left, identify(o)) })
	require.Empty(t, left)
	for _, name := range rest {
		require.Empty(t, differences(before[name], c.owned(t, name)), name)
	}

	c.upPlatform(t, platformPart...)
	c.waitReconciled(t, packageInstallKind, installNamespace, removed)
}
