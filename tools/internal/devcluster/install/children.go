package install

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
		if err := c.waitInstall(ctx, &children.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// waitInstall waits until kapp-controller is done with a PackageInstall as it is
// now, and with its App.
func (c *Client) waitInstall(ctx context.Context, install *unstructured.Unstructured) error {
	return poll(ctx, func(ctx context.Context) error {
		current, err := c.get(ctx, install)
		if err != nil {
			return err
		}
		if err := reconciled(current, install.GetGeneration()); err != nil {
			return err
		}
		app, err := c.get(ctx, object("kappctrl.k14s.io/v1alpha1", "App", install.GetNamespace(), install.GetName(), nil))
		if err != nil {
			return err
		}
		return reconciled(app, app.GetGeneration())
	})
}
