package install

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Dropped are the versions in which the cluster may have stored objects of a
// CRD, and which that CRD as it is to be no longer has. The API server refuses
// it for as long as there are any.
func (c *Client) Dropped(ctx context.Context, crd *unstructured.Unstructured) ([]string, error) {
	there, err := c.dynamic.Resource(crds()).Get(ctx, crd.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for CRD %s: %w", crd.GetName(), err)
	}
	stored, _, _ := unstructured.NestedStringSlice(there.Object, "status", "storedVersions")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	return slices.DeleteFunc(stored, func(name string) bool {
		return slices.ContainsFunc(versions, func(entry any) bool {
			version, _ := entry.(map[string]any)
			return version["name"] == name
		})
	}), nil
}
