// Package install puts package repositories and packages on a cluster that
// runs kapp-controller, and waits until they have reconciled: what a person
// would do with kctrl, for a development cluster and for tests.
//
// It must not know any package by name, nor how bundles are made or pushed.
// Start reading at [Client.Repository] and [Client.Package].
package install

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// fieldManager owns the fields that this package sets, by server-side apply.
const fieldManager = "strake"

// Client installs on one cluster.
type Client struct {
	dynamic dynamic.Interface
	served  discovery.ServerResourcesInterface
}

// New makes a client of a cluster.
func New(config *rest.Config) (*Client, error) {
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	served, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	return &Client{dynamic: d, served: served}, nil
}

// resource is the endpoint of an object. The few kinds that are used here
// have regular plurals, and those without a namespace belong to the cluster,
// so the cluster need not be asked.
func (c *Client) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	plural, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if o.GetNamespace() == "" {
		return c.dynamic.Resource(plural)
	}
	return c.dynamic.Resource(plural).Namespace(o.GetNamespace())
}

// applyAll makes the objects' fields so, one after the other, and leaves
// fields that others own alone.
func (c *Client) applyAll(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, o := range objects {
		if _, err := c.apply(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) apply(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	applied, err := c.resource(o).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return nil, fmt.Errorf("applying %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return applied, nil
}

// object makes an object from its parts.
func object(apiVersion, kind, namespace, name string, content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	for key, value := range content {
		o.Object[key] = value
	}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetName(name)
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	return o
}
