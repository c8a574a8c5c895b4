package install

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Present are the versions that PackageInstalls of all namespaces have
// reconciled, by the package's full name. A cluster without kapp-controller
// has none.
func (c *Client) Present(ctx context.Context) (map[string][]string, error) {
	list, err := c.dynamic.Resource(installs()).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the PackageInstalls: %w", err)
	}
	present := map[string][]string{}
	for i := range list.Items {
		o := &list.Items[i]
		name, _, _ := unstructured.NestedString(o.Object, "spec", "packageRef", "refName")
		installed, _, _ := unstructured.NestedString(o.Object, "status", "version")
		if reconciled(o, o.GetGeneration()) == nil {
			present[name] = append(present[name], installed)
		}
	}
	return present, nil
}

// Serves tells whether the cluster serves a group and version, whoever
// installed it.
func (c *Client) Serves(groupVersion string) (bool, error) {
	_, err := c.served.ServerResourcesForGroupVersion(groupVersion)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking the cluster for %s: %w", groupVersion, err)
	}
	return true, nil
}
