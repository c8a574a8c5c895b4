package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// inputsAnnotation holds a hash of what an object was last applied with,
// Secrets included: a change of those leaves the object's generation alone,
// so nothing else tells whether its status speaks of them.
const inputsAnnotation = "strake.dev/inputs"

// mark notes the hash of an object and of what it refers to.
func mark(o *unstructured.Unstructured, refersTo ...*unstructured.Unstructured) error {
	h := sha256.New()
	for _, input := range append([]*unstructured.Unstructured{o}, refersTo...) {
		if err := json.NewEncoder(h).Encode(input.Object); err != nil {
			return fmt.Errorf("hashing %s %s: %w", input.GetKind(), input.GetName(), err)
		}
	}
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[inputsAnnotation] = hex.EncodeToString(h.Sum(nil))
	o.SetAnnotations(annotations)
	return nil
}

// stale tells whether the status of the object that is there says nothing
// about the one that is wanted: its inputs were others, or it failed and
// kapp-controller would try again only much later.
func stale(current, wanted *unstructured.Unstructured) bool {
	return current.GetAnnotations()[inputsAnnotation] != wanted.GetAnnotations()[inputsAnnotation] ||
		condition(current, "ReconcileFailed")
}

// restart makes kapp-controller forget an object's stale status: it applies
// the object paused, as "kctrl package installed kick" does, and waits until
// the pause has reached the worker, the object that does the work. The caller
// then applies it unpaused.
func (c *Client) restart(ctx context.Context, o, worker *unstructured.Unstructured) error {
	current, err := c.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("asking for %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	if !stale(current, o) {
		return nil
	}
	paused := o.DeepCopy()
	if err := unstructured.SetNestedField(paused.Object, true, "spec", "paused"); err != nil {
		return fmt.Errorf("pausing %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	applied, err := c.apply(ctx, paused)
	if err != nil {
		return err
	}
	return poll(ctx, func(ctx context.Context) error { return c.pauseSeen(ctx, applied, worker) })
}

// isPaused knows the descriptions of an App ("Canceled/paused") and of a
// PackageRepository ("Paused").
func isPaused(o *unstructured.Unstructured) bool {
	return strings.HasSuffix(strings.ToLower(description(o)), "paused")
}

// pauseSeen is nil when the worker has stopped, or cannot: there is none, or
// the object fails before it reaches its worker.
func (c *Client) pauseSeen(ctx context.Context, o, worker *unstructured.Unstructured) error {
	current, err := c.resource(worker).Get(ctx, worker.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("asking for %s %s: %w", worker.GetKind(), worker.GetName(), err)
	}
	observed, _, _ := unstructured.NestedInt64(current.Object, "status", "observedGeneration")
	if observed >= current.GetGeneration() && isPaused(current) {
		return nil
	}
	owner, err := c.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if err == nil && errors.Is(reconciled(owner, o.GetGeneration()), errFailed) {
		return nil
	}
	return fmt.Errorf("%s %s is still at work: %s", worker.GetKind(), worker.GetName(), description(current))
}
