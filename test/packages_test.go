package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What `strake up` installs, and where.
const (
	installNamespace = "strake"
	installName      = "keda"
	kedaNamespace    = "keda"
	kedaPackage      = "keda.strake.internal"
)

func kind(group, version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
}

var (
	appKind            = kind("kappctrl.k14s.io", "v1alpha1", "App")
	packageInstallKind = kind("packaging.carvel.dev", "v1alpha1", "PackageInstall")
	packageKind        = kind("data.packaging.carvel.dev", "v1alpha1", "Package")
	deploymentKind     = kind("apps", "v1", "Deployment")
)

// reconciled says whether kapp-controller is done with the newest generation
// of an App or PackageInstall, and what it says where it is not.
func reconciled(object *unstructured.Unstructured) (bool, string) {
	if object == nil {
		return false, "it does not exist"
	}
	observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	description, _, _ := unstructured.NestedString(object.Object, "status", "friendlyDescription")
	failure, _, _ := unstructured.NestedString(object.Object, "status", "usefulErrorMessage")
	done := observed == object.GetGeneration() && condition(object, "ReconcileSucceeded") == "True"
	return done, fmt.Sprintf("%s (generation %d of %d) %s", description, observed, object.GetGeneration(), failure)
}

func condition(object *unstructured.Unstructured, kind string) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		if c, ok := entry.(map[string]any); ok && c["type"] == kind {
			return fmt.Sprint(c["status"])
		}
	}
	return ""
}

func (c *cluster) waitReconciled(t *testing.T, gvk schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	var object *unstructured.Unstructured
	eventually(t, 5*time.Minute, gvk.Kind+" "+name+" reconciles", func() (bool, string) {
		object = c.get(t, gvk, namespace, name)
		return reconciled(object)
	})
	return object
}

// kick makes kapp-controller reconcile an install at once, as `kctrl package
// installed kick` does, by a pause and its end, and answers with its App.
func (c *cluster) kick(t *testing.T, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	before := deployedAt(c.get(t, appKind, namespace, name))
	for _, paused := range []bool{true, false} {
		c.patch(t, packageInstallKind, namespace, name, fmt.Sprintf(`{"spec":{"paused":%t}}`, paused))
		eventually(t, time.Minute, fmt.Sprintf("App %s has paused=%t", name, paused), func() (bool, string) {
			app := c.get(t, appKind, namespace, name)
			now, _, _ := unstructured.NestedBool(app.Object, "spec", "paused")
			_, say := reconciled(app)
			return now == paused, say
		})
	}
	eventually(t, 2*time.Minute, "App "+name+" is deployed again", func() (bool, string) {
		app := c.get(t, appKind, namespace, name)
		done, say := reconciled(app)
		return done && deployedAt(app) != before, say
	})
	c.waitReconciled(t, packageInstallKind, namespace, name)
	return c.get(t, appKind, namespace, name)
}

// deployedAt is when the App's last deploy began.
func deployedAt(app *unstructured.Unstructured) string {
	at, _, _ := unstructured.NestedString(app.Object, "status", "deploy", "startedAt")
	return at
}

func TestSecondReconcileChangesNothing(t *testing.T) {
	c := onCluster(t)
	c.waitReconciled(t, packageInstallKind, installNamespace, installName)
	for range 2 {
		before := c.owned(t)
		require.NotEmpty(t, before)
		app := c.kick(t, installNamespace, installName)
		stdout, _, err := unstructured.NestedString(app.Object, "status", "deploy", "stdout")
		require.NoError(t, err)
		require.Contains(t, stdout, "0 create, 0 delete, 0 update", "kapp found drift:\n%s", stdout)
		require.Equal(t, before, c.owned(t), "objects that a reconcile touched though nothing differed")
	}
}

// owned maps every object that kapp deployed for the install to its uid and
// generation, which only a change of its desired state moves.
func (c *cluster) owned(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	c.eachObject(t, "kapp.k14s.io/app", func(object *unstructured.Unstructured) {
		if !strings.Contains(object.GetAnnotations()["kapp.k14s.io/identity"], kedaNamespace) && !kedas(object) {
			return
		}
		id := strings.Join([]string{object.GetKind(), object.GetNamespace(), object.GetName()}, "/")
		found[id] = fmt.Sprintf("%s generation %d", object.GetUID(), object.GetGeneration())
	})
	return found
}

// kedas says whether an object is KEDA's by its name, namespace or API group.
func kedas(object *unstructured.Unstructured) bool {
	name := object.GetName()
	return object.GetNamespace() == kedaNamespace || strings.HasPrefix(name, "keda") || strings.HasSuffix(name, ".keda.sh") ||
		name == "v1beta1.external.metrics.k8s.io"
}

// eachObject visits every object of every kind that can be listed, or only
// those with a label.
func (c *cluster) eachObject(t *testing.T, label string, visit func(*unstructured.Unstructured)) {
	t.Helper()
	// An aggregated API that is just going away makes discovery partial.
	lists, err := c.typed.Discovery().ServerPreferredResources()
	if len(lists) == 0 {
		require.NoError(t, err)
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		require.NoError(t, err)
		for _, resource := range list.APIResources {
			if !strings.Contains(fmt.Sprint(resource.Verbs), "list") || resource.Name == "events" {
				continue
			}
			objects, err := c.dynamic.Resource(gv.WithResource(resource.Name)).List(lasting(t), metav1.ListOptions{LabelSelector: label})
			if err != nil {
				continue // the kind went away between the two calls
			}
			for i := range objects.Items {
				visit(&objects.Items[i])
			}
		}
	}
}

func TestWrongValuesAreRefusedBeforeAnythingIsDeployed(t *testing.T) {
	cases := map[string]struct{ values, wants string }{
		"unknown key":  {"operater: {}", "operater"},
		"wrong type":   {"operator: {replicas: many}", "replicas"},
		"out of range": {"operator: {replicas: -1}", "replicas"},
	}
	c := onCluster(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			namespace := c.namespace(t, "values")
			c.apply(t, installer(namespace)+"\n---\n"+packageInstall(namespace, "wrong", "2.21.0", tc.values))
			t.Cleanup(func() { c.uninstall(t, namespace, "wrong") })
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

// installer is a service account that may do what an install of KEDA needs.
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
func packageInstall(namespace, name, version, values string) string {
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
  - secretRef: {name: %[2]s-values}`, namespace, name, kedaPackage, version, strings.ReplaceAll(values, "\n", "\n    "))
}

// uninstall deletes an install of a test and the rights that it had.
func (c *cluster) uninstall(t *testing.T, namespace, name string) {
	t.Helper()
	c.deleteInstall(t, namespace, name)
	c.delete(t, kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"), "", namespace+"-installer")
}

// deleteInstall waits until kapp-controller has let the install go.
func (c *cluster) deleteInstall(t *testing.T, namespace, name string) {
	t.Helper()
	c.delete(t, packageInstallKind, namespace, name)
	eventually(t, 3*time.Minute, "PackageInstall "+name+" is gone", func() (bool, string) {
		object := c.get(t, packageInstallKind, namespace, name)
		if object == nil {
			return true, ""
		}
		_, say := reconciled(object)
		return false, say
	})
}
