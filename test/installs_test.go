package test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// installNamespace is where `strake up` installs; an install is called as its
// package.
const installNamespace = "strake"

func kind(group, version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
}

var (
	appKind                = kind("kappctrl.k14s.io", "v1alpha1", "App")
	packageInstallKind     = kind("packaging.carvel.dev", "v1alpha1", "PackageInstall")
	packageKind            = kind("data.packaging.carvel.dev", "v1alpha1", "Package")
	deploymentKind         = kind("apps", "v1", "Deployment")
	namespaceKind          = kind("", "v1", "Namespace")
	secretKind             = kind("", "v1", "Secret")
	configMapKind          = kind("", "v1", "ConfigMap")
	serviceAccountKind     = kind("", "v1", "ServiceAccount")
	crdKind                = kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
	clusterRoleBindingKind = kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding")
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
		patch := `{"spec":{"paused":true}}`
		if !paused {
			patch = `{"spec":{"paused":null}}` // as it was: whoever made the install may look
		}
		c.patch(t, packageInstallKind, namespace, name, patch)
		eventually(t, time.Minute, fmt.Sprintf("App %s has paused=%t", name, paused), func() (bool, string) {
			app := c.get(t, appKind, namespace, name)
			now, _, _ := unstructured.NestedBool(app.Object, "spec", "paused")
			_, say := reconciled(app)
			return now == paused, say
		})
	}
	eventually(t, 5*time.Minute, "App "+name+" is deployed again", func() (bool, string) {
		app := c.get(t, appKind, namespace, name)
		done, say := reconciled(app)
		return done && deployedAt(app) != before, say
	})
	c.waitReconciled(t, packageInstallKind, namespace, name)
	return c.get(t, appKind, namespace, name)
}

// deployedAt is when the App's last deploy began.
func deployedAt(app *unstructured.Unstructured) string {
	return deployField(app, "startedAt")
}

// deployField is a field of what an App says of its last deploy.
func deployField(app *unstructured.Unstructured, field string) string {
	text, _, _ := unstructured.NestedString(app.Object, "status", "deploy", field)
	return text
}

// appLabel selects what kapp deployed for an install: kapp notes the label's
// value in a ConfigMap of its own.
func (c *cluster) appLabel(t *testing.T, namespace, name string) string {
	t.Helper()
	record := c.get(t, configMapKind, namespace, name+".app")
	require.NotNil(t, record, "kapp's record of %s", name)
	spec, _, _ := unstructured.NestedString(record.Object, "data", "spec")
	var label struct{ LabelKey, LabelValue string }
	require.NoError(t, json.Unmarshal([]byte(spec), &label), spec)
	return label.LabelKey + "=" + label.LabelValue
}

// installs are the names of the PackageInstalls that `strake up` has made, the
// oldest first.
func (c *cluster) installs(t *testing.T) []string {
	t.Helper()
	resource, err := c.of(packageInstallKind, installNamespace)
	require.NoError(t, err)
	list, err := resource.List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	var names []string
	for _, item := range list.Items {
		if _, others := item.GetLabels()["kapp.k14s.io/app"]; !others { // a package has made that one
			names = append(names, item.GetName())
		}
	}
	return names
}

// startEmpty begins a test without any install and ends it so; a test that
// failed first shows a person what was there.
func (c *cluster) startEmpty(t *testing.T) {
	t.Helper()
	c.uninstall(t, c.installs(t), "--delete-objects")
	namespaces := c.namespaces(t)
	t.Cleanup(func() {
		if t.Failed() {
			c.explainInstalls(t, without(c.namespaces(t), namespaces))
		}
		c.uninstall(t, c.installs(t), "--delete-objects")
	})
}

// uninstall removes packages, the last one first, by `strake uninstall`. It
// refuses to where somebody still uses their CRDs, unless it is told to.
func (c *cluster) uninstall(t *testing.T, names []string, flags ...string) {
	t.Helper()
	if len(names) == 0 {
		return
	}
	args := append([]string{"uninstall", "--kubeconfig", shared.kubeconfig, "--namespace", installNamespace, "--yes"}, flags...)
	for _, name := range slices.Backward(names) {
		args = append(args, name)
	}
	ctx, cancel := context.WithTimeout(lasting(t), 10*time.Minute)
	defer cancel()
	lost, err := strake(ctx, "", args...)
	require.NoError(t, err, "%s", lost)
}

// deleteInstall waits until kapp-controller has let the install go.
func (c *cluster) deleteInstall(t *testing.T, namespace, name string) {
	t.Helper()
	c.delete(t, packageInstallKind, namespace, name)
	c.waitInstallGone(t, namespace, name)
}

func (c *cluster) waitInstallGone(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, 5*time.Minute, "PackageInstall "+name+" is gone", func() (bool, string) {
		object := c.get(t, packageInstallKind, namespace, name)
		if object == nil {
			return true, ""
		}
		_, say := reconciled(object)
		return false, say
	})
}

// explainInstalls prints what kapp-controller says of every install, and what
// happens in the namespaces.
func (c *cluster) explainInstalls(t *testing.T, namespaces []string) {
	t.Helper()
	for _, name := range c.installs(t) {
		for _, gvk := range []schema.GroupVersionKind{packageInstallKind, appKind} {
			object := c.get(t, gvk, installNamespace, name)
			if object == nil {
				continue
			}
			_, say := reconciled(object)
			fmt.Fprintf(os.Stderr, "%s %s: %s\n", gvk.Kind, name, say)
			for _, step := range []string{"fetch", "template", "deploy"} {
				for _, stream := range []string{"stdout", "stderr"} {
					text, _, _ := unstructured.NestedString(object.Object, "status", step, stream)
					fmt.Fprintf(os.Stderr, "--- %s %s of %s:\n%s\n", step, stream, name, strings.TrimSpace(text))
				}
			}
		}
	}
	for _, namespace := range namespaces {
		c.explain(context.WithoutCancel(t.Context()), namespace)
	}
}
