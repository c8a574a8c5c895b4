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
	values := environmentValues(t, "dev")
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
	c.upPlatformWith(t, platformValues(t, enabled...))
	t.Logf("the platform has %v", enabled)
}

func (c *cluster) upPlatformWith(t *testing.T, values map[string]any) {
	t.Helper()
	file := valuesFile(t, values)
	begin := time.Now()
	_, err := up(lasting(t), "--package", platformName, "--values", platformName+"="+file)
	require.NoError(t, err)
	t.Logf("strake up: %s", time.Since(begin).Round(time.Second))
}

// entryOf is what the platform's values say of a package.
func entryOf(values map[string]any, name string) map[string]any {
	return values["packages"].(map[string]any)[name].(map[string]any)
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
	t.Run("what is no longer enabled goes", func(t *testing.T) { removedPackage(t, c, "keda") })
	t.Run("values move a package to another version", func(t *testing.T) { movedPackage(t, c, "keda") })
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
	entryOf(values, "keda")["values"].(map[string]any)["operater"] = map[string]any{"replicas": 3}
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
	c.requireUntouched(t, before)
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

// removedPackage leaves a package out: it goes with its namespace, its account and
// all that it had, and the others stay as they are.
func removedPackage(t *testing.T, c *cluster, removed string) {
	label := c.appLabel(t, installNamespace, removed)
	rest, before := c.others(t, removed)
	c.upPlatform(t, rest...)
	require.Nil(t, c.get(t, packageInstallKind, installNamespace, removed))
	require.Nil(t, c.get(t, appKind, installNamespace, removed))
	require.Nil(t, c.get(t, serviceAccountKind, installNamespace, removed+"-installer"))
	require.Nil(t, c.get(t, namespaceKind, "", removed))
	var left []string
	c.eachObject(t, label, func(o *unstructured.Unstructured) { left = append(left, identify(o)) })
	require.Empty(t, left)
	c.requireUntouched(t, before)
}

// movedPackage brings a package back at the version before its newest, and lets the
// values move it: its own account may do so, and the others stay as they are.
func movedPackage(t *testing.T, c *cluster, moved string) {
	versions := readCheckout(t).Published[moved]
	require.Greater(t, len(versions), 1, "%s has one version", moved)
	older, newest := versions[len(versions)-2], versions[len(versions)-1]
	_, before := c.others(t, moved)
	values := platformValues(t, platformPart...)
	entryOf(values, moved)["version"] = older
	c.upPlatformWith(t, values)
	c.requireVersion(t, moved, older)

	c.upPlatform(t, platformPart...)
	c.requireVersion(t, moved, newest)
	c.requireNoAdministrator(t, installedAs{Namespace: installNamespace, Name: moved})
	c.requireSteady(t, moved)
	c.requireUntouched(t, before)
}

// others are the packages beside one, and what is theirs, at rest.
func (c *cluster) others(t *testing.T, one string) (names []string, owned map[string]map[string]string) {
	t.Helper()
	names = without(platformPart, []string{one})
	owned = map[string]map[string]string{}
	for _, name := range names {
		owned[name] = c.settled(t, name)
	}
	return names, owned
}

func (c *cluster) requireUntouched(t *testing.T, owned map[string]map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(owned)) {
		require.Empty(t, differences(owned[name], c.owned(t, name)), name)
	}
}
