package example

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/jsonpath"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// Watch is a field of an object of the example, and the value that ends a step.
type Watch struct {
	APIVersion, Kind, Name string
	// Path is the field as JSONPath, as in "{.status.readyReplicas}".
	Path string
	// Label names the value to people.
	Label string
	// Absent is the value of a field that is not set.
	Absent string
	// Value ends the step.
	Value string
	// Within is how long the step may take.
	Within time.Duration
}

// step changes the cluster and watches the step's field.
func (c *Client) step(ctx context.Context, namespace string, s Step) (*Seen, error) {
	field := jsonpath.New(s.Until.Label).AllowMissingKeys(true)
	if err := field.Parse(s.Until.Path); err != nil {
		return nil, fmt.Errorf("parsing the path %s: %w", s.Until.Path, err)
	}
	begun := time.Now()
	if err := until(ctx, s.Until.Within, func(ctx context.Context) error { return c.change(ctx, namespace, s) }); err != nil {
		return nil, err
	}
	seen := &Seen{Says: s.Says, Object: s.Until.Kind + " " + s.Until.Name, Label: s.Until.Label}
	return seen, until(ctx, s.Until.Within, func(ctx context.Context) error {
		value, err := c.value(ctx, namespace, s.Until, field)
		if err != nil {
			return err
		}
		if n := len(seen.Values); n == 0 || seen.Values[n-1].Value != value {
			seen.Values = append(seen.Values, Value{time.Since(begun).Round(100 * time.Millisecond).Seconds(), value})
			progress.From(ctx).Step("  %s: %s %s", seen.Object, seen.Label, value)
		}
		if value != s.Until.Value {
			return fmt.Errorf("%s has %s %s, not %s", seen.Object, seen.Label, value, s.Until.Value)
		}
		return nil
	})
}

// change applies and deletes the step's objects. What the API server may soon accept,
// since a webhook is starting, is tried again.
func (c *Client) change(ctx context.Context, namespace string, s Step) error {
	for _, o := range s.Apply {
		r, err := c.resource(namespace, o.GroupVersionKind())
		if err != nil {
			return err
		}
		if _, err := r.Apply(ctx, o.GetName(), o, applyOptions()); err != nil {
			return passing(fmt.Errorf("applying %s %s: %w", o.GetKind(), o.GetName(), err))
		}
	}
	background := metav1.DeletePropagationBackground
	for _, o := range s.Delete {
		r, err := c.resource(namespace, o.GroupVersionKind())
		if err != nil {
			return err
		}
		if err := r.Delete(ctx, o.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}); err != nil && !apierrors.IsNotFound(err) {
			return passing(fmt.Errorf("deleting %s %s: %w", o.GetKind(), o.GetName(), err))
		}
	}
	return nil
}

// passing marks an error as final unless it is of a server that is not ready.
func passing(err error) error {
	if apierrors.IsInternalError(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) {
		return err
	}
	return fmt.Errorf("%w: %w", errFinal, err)
}

func (c *Client) resource(namespace string, kind schema.GroupVersionKind) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapping(kind)
	if err != nil {
		return nil, err
	}
	return c.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

// value is what the field has now. An object that is not there has no fields.
func (c *Client) value(ctx context.Context, namespace string, w Watch, field *jsonpath.JSONPath) (string, error) {
	r, err := c.resource(namespace, schema.FromAPIVersionAndKind(w.APIVersion, w.Kind))
	if err != nil {
		return "", err
	}
	current, err := r.Get(ctx, w.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		current, err = &unstructured.Unstructured{Object: map[string]any{}}, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s %s: %w", w.Kind, w.Name, err)
	}
	var text bytes.Buffer
	if err := field.Execute(&text, current.Object); err != nil {
		return "", fmt.Errorf("%w: reading %s of %s %s: %w", errFinal, w.Path, w.Kind, w.Name, err)
	}
	return cmp.Or(text.String(), w.Absent), nil
}
