package install

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// waitChildren waits until the packages have reconciled that an install has made
// itself. kapp may have believed them too early: a PackageInstall whose change
// kapp-controller has just seen repeats what its App said before.
func (c *Client) waitChildren(ctx context.Context, namespace, name string) error {
	label, err := c.appLabel(ctx, namespace, name)
	if err != nil || label == "" {
		return err
	}
	kind := object(packaging, "PackageInstall", "", "", nil)
	children, err := c.resource(kind).List(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return fmt.Errorf("listing what PackageInstall %s/%s has made: %w", namespace, name, err)
	}
	for i := range children.Items {
		child := &children.Items[i]
		if err := c.waitReconciled(ctx, child, appObject(child.GetNamespace(), child.GetName()), child.GetGeneration()); err != nil {
			return err
		}
	}
	return nil
}
