package install

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Names are the names of the PackageInstalls in a namespace.
func (c *Client) Names(ctx context.Context, namespace string) ([]string, error) {
	list, err := c.dynamic.Resource(installs()).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the PackageInstalls of the namespace %s: %w", namespace, err)
	}
	return objectNames(list), nil
}

// Namespaces are the names of the cluster's namespaces.
func (c *Client) Namespaces(ctx context.Context) ([]string, error) {
	list, err := c.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the namespaces: %w", err)
	}
	return objectNames(list), nil
}

func objectNames(list *unstructured.UnstructuredList) []string {
	var found []string
	for i := range list.Items {
		found = append(found, list.Items[i].GetName())
	}
	return found
}
