package test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNamespacesOfOthersStay installs a package into a namespace in which others have
// an object, and removes it: the namespace and the object stay (see
// packages/_common/namespace.star). The account that
// installs has its roles in the namespace first, as with `strake rbac`.
func TestNamespacesOfOthersStay(t *testing.T) {
	c := onCluster(t)
	const name = "keda"
	version := newestPicked(t, name)
	c.startEmpty(t)
	namespace := c.namespace(t, "others")
	c.apply(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs, namespace: "+namespace+"}\ndata: {kept: yes please}")
	// Who created the namespace is known by the second in which it was created.
	time.Sleep(1100 * time.Millisecond)

	values := withNetworkPolicies(t, name)
	values["namespace"] = namespace
	ctx, cancel := context.WithTimeout(lasting(t), upTimeout)
	defer cancel()
	result, err := up(ctx, "--package", name+"@"+version, "--values", name+"="+valuesFile(t, values))
	require.NoError(t, err)
	require.NotEmpty(t, c.ownedIn(t, installNamespace, name))
	require.NotContains(t, c.get(t, namespaceKind, "", namespace).GetLabels(), "kapp.k14s.io/app", "kapp does not adopt the namespace")

	c.uninstall(t, namesOf(result.Installed))
	there := c.get(t, namespaceKind, "", namespace)
	require.NotNil(t, there, "the namespace stays")
	require.Nil(t, there.GetDeletionTimestamp())
	require.NotNil(t, c.get(t, configMapKind, namespace, "theirs"), "what others have in it stays")
	require.Nil(t, c.get(t, deploymentKind, namespace, "keda-operator"), "what the package had in it goes")
}
