package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestInstallWaitsForWhatItRequires installs a package whose need is not on
// the cluster: it fails with the reason and deploys nothing, and goes on by
// itself when the need has come.
func TestInstallWaitsForWhatItRequires(t *testing.T) {
	c := onCluster(t)
	c.pushApps(t)
	namespace := c.namespace(t, "guest")
	c.apply(t, appPackage(t, c, namespace, "guest", "0.1.0"))
	c.apply(t, installer(namespace)+"\n---\n"+packageInstall(namespace, "guest", "guest.apps.strake.test", "0.1.0", "namespace: "+namespace))
	t.Cleanup(func() { c.withdraw(t, namespace, "guest") })

	var failure string
	eventually(t, 2*time.Minute, "the install is refused", func() (bool, string) {
		object := c.get(t, packageInstallKind, namespace, "guest")
		failure, _, _ = unstructured.NestedString(object.Object, "status", "usefulErrorMessage")
		_, say := reconciled(object)
		return condition(object, "ReconcileFailed") == "True", say
	})
	require.Contains(t, failure, "greetings.strake.test/v1, which hello.apps.strake.test >=0.1.0 serves; install that first (to be greeted)")
	_, deployed, _ := unstructured.NestedMap(c.get(t, appKind, namespace, "guest").Object, "status", "deploy")
	require.False(t, deployed, "kapp ran though the need was missing")
	require.Nil(t, c.get(t, configMapKind, namespace, "guest"))

	t.Cleanup(func() { c.delete(t, crdKind, "", "greetings.greetings.strake.test") })
	c.apply(t, `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: greetings.greetings.strake.test}
spec:
  group: greetings.strake.test
  scope: Cluster
  names: {kind: Greeting, plural: greetings}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]`)
	c.waitReconciled(t, packageInstallKind, namespace, "guest")
	require.NotNil(t, c.get(t, configMapKind, namespace, "guest"))
}

// appPackage is the Package of a test program, offered in one namespace and
// fetched from the cluster's registry.
func appPackage(t *testing.T, c *cluster, namespace, name, version string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", appsRoot, "repo", "packages", name+".apps.strake.test", version+".yml"))
	require.NoError(t, err)
	here := strings.ReplaceAll(string(text), "registry.strake.test/strake/apps", c.registry.RegistryCluster+"/"+appsRepository(t))
	return strings.Replace(here, "\nmetadata:\n", "\nmetadata:\n  namespace: "+namespace+"\n", 1)
}
