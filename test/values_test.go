package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestWrongValuesAreRefusedBeforeAnythingIsDeployed(t *testing.T) {
	cases := map[string]struct{ values, wants string }{
		"unknown key":  {"operater: {}", "operater"},
		"wrong type":   {"operator: {replicas: many}", "replicas"},
		"out of range": {"operator: {replicas: -1}", "replicas"},
	}
	c := onCluster(t)
	newest := newestPicked(t, "keda")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			namespace := c.namespace(t, "values")
			c.apply(t, installer(namespace)+"\n---\n"+packageInstall(namespace, "wrong", "keda.strake.internal", newest, tc.values))
			t.Cleanup(func() { c.withdraw(t, namespace, "wrong") })
			var failure string
			eventually(t, 2*time.Minute, "the install is refused", func() (bool, string) {
				object := c.get(t, packageInstallKind, namespace, "wrong")
				failure, _, _ = unstructured.NestedString(object.Object, "status", "usefulErrorMessage")
				return condition(object, "ReconcileFailed") == "True", fmt.Sprint(object.Object["status"])
			})
			require.Contains(t, failure, tc.wants)
			app := c.get(t, appKind, namespace, "wrong")
			_, deployed, _ := unstructured.NestedMap(app.Object, "status", "deploy")
			require.False(t, deployed, "kapp ran though the values were wrong: %v", app.Object["status"])
		})
	}
}

// installer is a service account that may do what an install needs.
// It is cluster-admin: what is tested here is the package, not its rights.
func installer(namespace string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ServiceAccount
metadata: {name: installer, namespace: %[1]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[1]s-installer, labels: {strake-test: %[1]s}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: ServiceAccount, name: installer, namespace: %[1]s}`, namespace)
}

// packageInstall is an install and the Secret with its values.
func packageInstall(namespace, name, pkg, version, values string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: %[2]s-values, namespace: %[1]s}
stringData:
  values.yml: |
    %[5]s
---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  serviceAccountName: installer
  packageRef:
    refName: %[3]s
    versionSelection: {constraints: %[4]q}
  values:
  - secretRef: {name: %[2]s-values}`, namespace, name, pkg, version, strings.ReplaceAll(values, "\n", "\n    "))
}

// withdraw deletes an install of a test and the rights that it had.
func (c *cluster) withdraw(t *testing.T, namespace, name string) {
	t.Helper()
	c.deleteInstall(t, namespace, name)
	c.delete(t, clusterRoleBindingKind, "", namespace+"-installer")
}
