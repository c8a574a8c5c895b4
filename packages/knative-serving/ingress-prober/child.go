package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/networking/pkg/apis/networking"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	clientset "knative.dev/networking/pkg/client/clientset/versioned"
	listers "knative.dev/networking/pkg/client/listers/networking/v1alpha1"
	"knative.dev/networking/pkg/ingress"
	"knative.dev/pkg/kmeta"
)

const (
	// traefikClass is the only class that Traefik's Knative provider serves. It is a
	// constant of Traefik.
	traefikClass = "traefik.ingress.networking.knative.dev"

	// childLabel tells children from the Ingresses that Knative creates.
	childLabel = "ingress-prober.strake.dev/child"

	// childSuffix has a dot, because the names of Knative Services have none: a child
	// cannot have the name of the Ingress of another Service.
	childSuffix = ".probed"
)

// errNotOwned is the error of a child's name that another Ingress has.
var errNotOwned = errors.New("belongs to another owner")

// children creates, updates and deletes the children of Ingresses.
type children struct {
	client clientset.Interface
	lister listers.IngressLister
}

func childName(parent string) string { return kmeta.ChildName(parent, childSuffix) }

func isChild(ing *v1alpha1.Ingress) bool { return ing.Labels[childLabel] != "" }

// newChild returns the child of an Ingress: the same routes for Traefik, and for each of
// them a route for probes, which adds the hash of the parent's spec to the request.
//
// It has the labels of the parent, by which Traefik may select what it serves.
func newChild(ctx context.Context, parent *v1alpha1.Ingress) (*v1alpha1.Ingress, error) {
	probed := parent.DeepCopy()
	if _, err := ingress.InsertProbe(probed); err != nil {
		return nil, fmt.Errorf("adding the probe: %w", err)
	}
	owner := kmeta.NewControllerRef(parent)
	// Setting it requires the permission to update finalizers of the parent on clusters
	// that enforce permissions on owner references. Nobody deletes parents in the
	// foreground.
	owner.BlockOwnerDeletion = nil
	child := &v1alpha1.Ingress{
		ObjectMeta: metav1.ObjectMeta{
			Name:            childName(parent.Name),
			Namespace:       parent.Namespace,
			Labels:          kmeta.UnionMaps(parent.Labels, map[string]string{childLabel: "true"}),
			Annotations:     map[string]string{networking.IngressClassAnnotationKey: traefikClass},
			OwnerReferences: []metav1.OwnerReference{*owner},
		},
		Spec: probed.Spec,
	}
	// As Knative's webhook does. Otherwise, each reconciliation would find a difference.
	child.SetDefaults(ctx)
	return child, nil
}

// ensure creates or updates the child of an Ingress.
func (c *children) ensure(ctx context.Context, parent *v1alpha1.Ingress) error {
	desired, err := newChild(ctx, parent)
	if err != nil {
		return err
	}
	ingresses := c.client.NetworkingV1alpha1().Ingresses(parent.Namespace)
	found, err := c.lister.Ingresses(parent.Namespace).Get(desired.Name)
	if apierrs.IsNotFound(err) {
		if _, err := ingresses.Create(ctx, desired, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating the Ingress %s/%s: %w", desired.Namespace, desired.Name, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the Ingress %s/%s: %w", desired.Namespace, desired.Name, err)
	}
	if !metav1.IsControlledBy(found, parent) {
		return fmt.Errorf("the Ingress %s/%s %w", found.Namespace, found.Name, errNotOwned)
	}
	if equality.Semantic.DeepEqual(found.Spec, desired.Spec) && maps.Equal(found.Labels, desired.Labels) && maps.Equal(found.Annotations, desired.Annotations) {
		return nil
	}
	update := found.DeepCopy()
	update.Spec, update.Labels, update.Annotations = desired.Spec, desired.Labels, desired.Annotations
	if _, err := ingresses.Update(ctx, update, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("updating the Ingress %s/%s: %w", update.Namespace, update.Name, err)
	}
	return nil
}

// remove deletes a child.
func (c *children) remove(ctx context.Context, child *v1alpha1.Ingress) error {
	err := c.client.NetworkingV1alpha1().Ingresses(child.Namespace).Delete(ctx, child.Name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(child.UID)),
	})
	if err != nil && !apierrs.IsNotFound(err) {
		return fmt.Errorf("deleting the Ingress %s/%s: %w", child.Namespace, child.Name, err)
	}
	return nil
}
