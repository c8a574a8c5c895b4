package install

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// installLabel names, on an account and its roles, the install they are for.
const installLabel = "strake.dev/install"

// rightsResources are the kinds of which rights consist, in the order in which
// they are taken away.
func rightsResources() []schema.GroupVersionResource {
	var list []schema.GroupVersionResource
	for _, plural := range []string{"rolebindings", "clusterrolebindings", "roles", "clusterroles"} {
		list = append(list, schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: plural})
	}
	return append(list, schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"})
}

// accountName is the ServiceAccount that installs a package.
func accountName(p Package) string { return p.Name + "-installer" }

func (p Package) label() string { return p.Namespace + "." + p.Name }

// widen grants the rights of a package beside those that its account has: a
// change also deletes what the version or the values before it had.
func (c *Client) widen(ctx context.Context, p Package) error {
	there, err := c.rightsOf(ctx, p)
	if err != nil {
		return err
	}
	for _, o := range p.labelled() {
		if i := slices.IndexFunc(there, func(t *unstructured.Unstructured) bool { return same(o, t) }); i >= 0 {
			addRules(o, there[i])
		}
		if _, err := c.apply(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// narrow leaves the account the rights of the package and takes others away.
func (c *Client) narrow(ctx context.Context, p Package) error {
	wanted := p.labelled()
	if err := c.applyAll(ctx, wanted...); err != nil {
		return err
	}
	return c.revoke(ctx, p, wanted)
}

// revoke deletes the rights of a package's account, but for those to keep.
func (c *Client) revoke(ctx context.Context, p Package, keep []*unstructured.Unstructured) error {
	there, err := c.rightsOf(ctx, p)
	if err != nil {
		return err
	}
	for _, o := range there {
		if slices.ContainsFunc(keep, func(k *unstructured.Unstructured) bool { return same(o, k) }) {
			continue
		}
		if err := c.deleteAndWait(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// rightsOf are the account of a package and its roles and bindings as they are
// on the cluster.
func (c *Client) rightsOf(ctx context.Context, p Package) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	for _, resource := range rightsResources() {
		list, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: installLabel + "=" + p.label()})
		if err != nil {
			return nil, fmt.Errorf("listing the %s of the account that installs %s: %w", resource.Resource, p.Name, err)
		}
		for i := range list.Items {
			found = append(found, &list.Items[i])
		}
	}
	return found, nil
}

// labelled are the rights with a label to find them again. A namespace has none:
// it goes with the package, not with the account.
func (p Package) labelled() []*unstructured.Unstructured {
	var list []*unstructured.Unstructured
	for _, o := range p.Rights {
		o = o.DeepCopy()
		if o.GetKind() != "Namespace" {
			o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": fieldManager, installLabel: p.label()})
		}
		list = append(list, o)
	}
	return list
}

func same(a, b *unstructured.Unstructured) bool {
	return a.GetKind() == b.GetKind() && a.GetNamespace() == b.GetNamespace() && a.GetName() == b.GetName()
}

// addRules gives a role the rules of another one that it has not.
func addRules(o, other *unstructured.Unstructured) {
	rules, found, _ := unstructured.NestedSlice(o.Object, "rules")
	if !found {
		return
	}
	more, _, _ := unstructured.NestedSlice(other.Object, "rules")
	for _, rule := range more {
		if !slices.ContainsFunc(rules, func(r any) bool { return reflect.DeepEqual(r, rule) }) {
			rules = append(rules, rule)
		}
	}
	_ = unstructured.SetNestedSlice(o.Object, rules, "rules")
}
