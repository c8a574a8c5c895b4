package install

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resources that are asked for by name.

func configMaps() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
}

func crds() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}

func installs() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "packaging.carvel.dev", Version: "v1alpha1", Resource: "packageinstalls"}
}

// deleteStrategy, with the value "orphan", lets an object outlive its package;
// see https://carvel.dev/kapp/docs/latest/apply/#kappk14siodelete-strategy.
const deleteStrategy = "kapp.k14s.io/delete-strategy"

// UserObject is an object that somebody made of a package's CRDs, and that is
// deleted with them.
type UserObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// Installed tells whether there is a PackageInstall of this name, or rights of its
// account: these go last, so they stay where a removal was interrupted, or where
// somebody deleted the PackageInstall by other means.
func (c *Client) Installed(ctx context.Context, namespace, name string) (bool, error) {
	_, err := c.dynamic.Resource(installs()).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		rights, err := c.rightsOf(ctx, Package{Name: name, Namespace: namespace})
		return len(rights) > 0, err
	}
	if err != nil {
		return false, fmt.Errorf("asking for PackageInstall %s/%s: %w", namespace, name, err)
	}
	return true, nil
}

// UserObjects are the objects that would be lost with an installed package:
// those of its CRDs that are neither the package's own nor made by a controller
// for another object, sorted by kind, namespace and name. CRDs that stay when
// the package goes keep their objects.
func (c *Client) UserObjects(ctx context.Context, namespace, name string) ([]UserObject, error) {
	label, err := c.appLabel(ctx, namespace, name)
	if err != nil || label == "" {
		return nil, err
	}
	definitions, err := c.dynamic.Resource(crds()).List(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return nil, fmt.Errorf("listing the CRDs of PackageInstall %s/%s: %w", namespace, name, err)
	}
	var found []UserObject
	for i := range definitions.Items {
		if definitions.Items[i].GetAnnotations()[deleteStrategy] == "orphan" {
			continue
		}
		objects, err := c.usersOf(ctx, &definitions.Items[i], label)
		if err != nil {
			return nil, err
		}
		found = append(found, objects...)
	}
	slices.SortFunc(found, func(a, b UserObject) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// appLabel is the label, KEY=VALUE, that kapp puts on all objects of an install;
// it keeps it in a ConfigMap. It is empty before the first deploy.
func (c *Client) appLabel(ctx context.Context, namespace, name string) (string, error) {
	record, err := c.dynamic.Resource(configMaps()).Namespace(namespace).Get(ctx, name+".app", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("asking for kapp's record of PackageInstall %s/%s: %w", namespace, name, err)
	}
	text, _, _ := unstructured.NestedString(record.Object, "data", "spec")
	var spec struct{ LabelKey, LabelValue string }
	if err := json.Unmarshal([]byte(text), &spec); err != nil || spec.LabelKey == "" {
		return "", fmt.Errorf("kapp's record %s/%s.app names no label of the package's objects: %q", namespace, name, text)
	}
	return spec.LabelKey + "=" + spec.LabelValue, nil
}

// usersOf lists a CRD's objects that do not belong to the package itself.
func (c *Client) usersOf(ctx context.Context, crd *unstructured.Unstructured, label string) ([]UserObject, error) {
	resource, err := stored(crd)
	if err != nil {
		return nil, err
	}
	key, _, _ := strings.Cut(label, "=")
	objects, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: "!" + key})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the objects of CRD %s: %w", crd.GetName(), err)
	}
	var found []UserObject
	for i := range objects.Items {
		o := &objects.Items[i]
		if metav1.GetControllerOf(o) == nil {
			found = append(found, UserObject{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()})
		}
	}
	return found, nil
}

// stored is the resource of a CRD in the version that the cluster stores.
func stored(crd *unstructured.Unstructured) (schema.GroupVersionResource, error) {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, entry := range versions {
		if version, ok := entry.(map[string]any); ok && version["storage"] == true {
			name, _ := version["name"].(string)
			return schema.GroupVersionResource{Group: group, Version: name, Resource: plural}, nil
		}
	}
	return schema.GroupVersionResource{}, fmt.Errorf("CRD %s has no version that is stored", crd.GetName())
}
