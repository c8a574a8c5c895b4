package test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// requireNoAdministrator asks the API server whether the account that an install
// is made with may do what gives it all other rights.
func (c *cluster) requireNoAdministrator(t *testing.T, install installedAs) {
	t.Helper()
	user := fmt.Sprintf("system:serviceaccount:%s:%s-installer", install.Namespace, install.Name)
	for _, asked := range []authorizationv1.ResourceAttributes{
		{Verb: "*", Group: "*", Resource: "*"},
		{Verb: "bind", Group: rbacv1.GroupName, Resource: "clusterroles"},
		{Verb: "impersonate", Resource: "users"},
	} {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &asked}}
		answer, err := c.typed.AuthorizationV1().SubjectAccessReviews().Create(lasting(t), review, metav1.CreateOptions{})
		require.NoError(t, err)
		require.False(t, answer.Status.Allowed, "%s may %+v: %s", user, asked, answer.Status.Reason)
	}
}

// TestInstallNeedsItsRights installs a package with the rights that its bundle
// ships, but for one rule: kapp-controller says what is missing. With that rule
// the install goes on by itself; it is deleted with the same rights, and these
// last.
func TestInstallNeedsItsRights(t *testing.T) {
	c := onCluster(t)
	const name = "keda"
	version := newestPicked(t, name)
	c.startEmpty(t)
	c.uninstall(t, namesOf(c.up(t, name+"@"+version)), "--delete-objects") // its images are there now
	namespace := c.namespace(t, "rights")
	before := c.snapshot(t)

	rights := shippedRights(t, namespace, name+"@"+version)
	t.Cleanup(func() { c.deleteRights(t, rights) })
	withoutRule, dropped := withoutFirst(t, rights, namespace+":installer:package", "create")
	c.applyObjects(t, withoutRule)
	c.apply(t, packageInstall(namespace, name, name+"."+readCheckout(t).Domain, version, "{}"))
	t.Cleanup(func() { c.deleteInstall(t, namespace, name) })

	var failure string
	eventually(t, 3*time.Minute, "the install without "+fmt.Sprint(dropped)+" fails", func() (bool, string) {
		object := c.get(t, packageInstallKind, namespace, name)
		failure, _, _ = unstructured.NestedString(object.Object, "status", "usefulErrorMessage")
		done, say := reconciled(object)
		require.False(t, done, "it has all that it needs without %v", dropped)
		return condition(object, "ReconcileFailed") == "True", say
	})
	t.Logf("without %v: %s", dropped, failure)
	require.Contains(t, failure, `User "system:serviceaccount:`+namespace+`:installer" cannot `)
	require.True(t, slices.ContainsFunc(dropped.Resources, func(resource string) bool {
		return strings.Contains(failure, fmt.Sprintf("resource %q", resource))
	}), failure)

	c.applyObjects(t, rights)
	c.waitReconciled(t, packageInstallKind, namespace, name)
	c.deleteInstall(t, namespace, name)
	c.delete(t, secretKind, namespace, name+"-values")
	c.deleteRights(t, rights)
	c.requireNothingLeft(t, before)
}

// shippedRights are the objects that `strake rbac` prints for an account called
// installer.
func shippedRights(t *testing.T, namespace, pkg string) []unstructured.Unstructured {
	t.Helper()
	out, err := strake(lasting(t), "", "rbac", pkg, "--namespace", namespace, "--account", "installer", "--output", "json")
	require.NoError(t, err)
	var list unstructured.UnstructuredList
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	return list.Items
}

// withoutFirst takes the first rule with a verb out of the role of that name.
func withoutFirst(t *testing.T, rights []unstructured.Unstructured, role, verb string) ([]unstructured.Unstructured, rbacv1.PolicyRule) {
	t.Helper()
	less := slices.Clone(rights)
	for i, o := range rights {
		if o.GetName() != role || o.GetKind() != "Role" {
			continue
		}
		rules, _, err := unstructured.NestedSlice(o.Object, "rules")
		require.NoError(t, err)
		for at, entry := range rules {
			text, err := json.Marshal(entry)
			require.NoError(t, err)
			var rule rbacv1.PolicyRule
			require.NoError(t, json.Unmarshal(text, &rule))
			if slices.Contains(rule.Verbs, verb) {
				less[i] = *o.DeepCopy()
				require.NoError(t, unstructured.SetNestedSlice(less[i].Object, slices.Delete(rules, at, at+1), "rules"))
				return less, rule
			}
		}
	}
	require.Fail(t, "no rule of "+role+" has the verb "+verb)
	return nil, rbacv1.PolicyRule{}
}

func (c *cluster) applyObjects(t *testing.T, objects []unstructured.Unstructured) {
	t.Helper()
	for i := range objects {
		text, err := json.Marshal(objects[i].Object)
		require.NoError(t, err)
		c.apply(t, string(text))
	}
}

// deleteRights leaves namespaces to the package.
func (c *cluster) deleteRights(t *testing.T, rights []unstructured.Unstructured) {
	t.Helper()
	for i := range rights {
		if o := &rights[i]; o.GetKind() != "Namespace" {
			c.delete(t, o.GroupVersionKind(), o.GetNamespace(), o.GetName())
		}
	}
}
