// Package example shows on a cluster what a package does: it applies objects in
// steps, and reports every change of the field that a step waits for. All of it is
// in one namespace of its own, which [Client.Delete] removes.
//
// It must not know any package by name, nor where the objects come from. Start
// reading at [Client.Run].
package example

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/retry"
)

const (
	// Label marks the namespace of an example; its value is PACKAGE.EXAMPLE.
	Label = "strake.dev/example"
	// fieldManager owns the fields that this package sets, by server-side apply.
	fieldManager = "strake"
	// interval is the pause between two looks at the cluster.
	interval = 500 * time.Millisecond
	// deletion is how long the namespace may take to go.
	deletion = 3 * time.Minute
)

// Example is what is shown.
type Example struct {
	// Package and Name name it to people.
	Package, Name string
	// Namespace holds its objects; it is made, and must not be somebody else's.
	Namespace string
	Steps     []Step
}

// Step changes the cluster and waits for what comes of it.
type Step struct {
	// Says is the narration, one line.
	Says string
	// Apply and Delete are objects without a namespace.
	Apply, Delete []*unstructured.Unstructured
	Until         Watch
}

// Result is what was seen.
type Result struct {
	Package   string `json:"package"`
	Example   string `json:"example"`
	Namespace string `json:"namespace"`
	Steps     []Seen `json:"steps"`
}

// Seen are the values of a step's field, in order.
type Seen struct {
	Says string `json:"says"`
	// Object is KIND NAME, and Label what Values are.
	Object string  `json:"object"`
	Label  string  `json:"label"`
	Values []Value `json:"values"`
}

// Value is one value of a field.
type Value struct {
	// Seconds is the time since the step began.
	Seconds float64 `json:"seconds"`
	Value   string  `json:"value"`
}

// Client shows examples on one cluster.
type Client struct {
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
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
	return &Client{dynamic: d, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(served))}, nil
}

// Run does the steps of an example and returns what was seen. It can be repeated.
// An object of a kind that the cluster does not serve is an error that names the
// package.
func (c *Client) Run(ctx context.Context, e Example) (*Result, error) {
	if err := c.check(e); err != nil {
		return nil, err
	}
	if err := c.claim(ctx, e); err != nil {
		return nil, err
	}
	r := &Result{Package: e.Package, Example: e.Name, Namespace: e.Namespace}
	for i, step := range e.Steps {
		progress.From(ctx).Step("example %s of %s, %d/%d: %s", e.Name, e.Package, i+1, len(e.Steps), step.Says)
		seen, err := c.step(ctx, e.Namespace, step)
		if err != nil {
			return nil, fmt.Errorf("running the example %s of %s: %w", e.Name, e.Package, err)
		}
		r.Steps = append(r.Steps, *seen)
	}
	return r, nil
}

// Delete removes the example's namespace with all that is in it, and waits until it is
// gone. It is harmless when nothing is there; a namespace that is not the example's is
// an error.
func (c *Client) Delete(ctx context.Context, e Example) error {
	current, err := c.namespaces().Get(ctx, e.Namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the namespace %s: %w", e.Namespace, err)
	}
	if err := owned(current, e); err != nil {
		return err
	}
	if err := c.namespaces().Delete(ctx, e.Namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the namespace %s: %w", e.Namespace, err)
	}
	return c.gone(ctx, e.Namespace)
}

// check refuses kinds that the cluster does not serve, or that have no namespace and
// would outlive the example's.
func (c *Client) check(e Example) error {
	for _, step := range e.Steps {
		for _, o := range step.Apply {
			mapping, err := c.mapping(o.GroupVersionKind())
			if meta.IsNoMatchError(err) {
				return fmt.Errorf("the cluster does not serve the kind %s of %s: install %s first", o.GetKind(), o.GetAPIVersion(), e.Package)
			}
			if err != nil {
				return err
			}
			if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
				return fmt.Errorf("%s %s of the example %s is cluster-scoped: an example can contain only namespaced objects", o.GetKind(), o.GetName(), e.Name)
			}
		}
	}
	return nil
}

func (c *Client) mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for the kind %s of %s: %w", kind.Kind, kind.GroupVersion(), err)
	}
	return mapping, nil
}

// claim makes the example's namespace.
func (c *Client) claim(ctx context.Context, e Example) error {
	current, err := c.namespaces().Get(ctx, e.Namespace, metav1.GetOptions{})
	if err == nil && current.GetDeletionTimestamp() != nil {
		err = c.gone(ctx, e.Namespace)
	} else if err == nil {
		return owned(current, e)
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading the namespace %s: %w", e.Namespace, err)
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	namespace.SetName(e.Namespace)
	namespace.SetLabels(map[string]string{Label: label(e)})
	if _, err := c.namespaces().Apply(ctx, e.Namespace, namespace, applyOptions()); err != nil {
		return fmt.Errorf("making the namespace %s: %w", e.Namespace, err)
	}
	return nil
}

func (c *Client) namespaces() dynamic.ResourceInterface {
	return c.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
}

func applyOptions() metav1.ApplyOptions {
	return metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
}

func label(e Example) string { return e.Package + "." + e.Name }

func owned(namespace *unstructured.Unstructured, e Example) error {
	if namespace.GetLabels()[Label] == label(e) {
		return nil
	}
	return fmt.Errorf("the namespace %s exists and does not belong to the example %s of %s: choose another with --target-namespace", e.Namespace, e.Name, e.Package)
}

// gone waits until the namespace is deleted.
func (c *Client) gone(ctx context.Context, name string) error {
	return until(ctx, deletion, func(ctx context.Context) error {
		current, err := c.namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the namespace %s: %w", name, err)
		}
		return fmt.Errorf("the namespace %s is still being deleted: %s", name, remaining(current))
	})
}

// remaining is what Kubernetes says of a namespace that does not go.
func remaining(namespace *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(namespace.Object, "status", "conditions")
	var messages []string
	for _, entry := range conditions {
		if c, _ := entry.(map[string]any); c["status"] == "True" {
			messages = append(messages, fmt.Sprint(c["message"]))
		}
	}
	return strings.Join(messages, "; ")
}

// errFinal marks what waiting does not improve.
var errFinal = errors.New("waiting does not help")

// until calls ask until it succeeds, fails for good, or the time is over, and then
// returns its last error.
func until(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %s", limit))
	defer cancel()
	return retry.Until(ctx, interval, errFinal, ask)
}
