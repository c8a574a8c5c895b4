package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/retry"
)

// interval is the pause between two questions to the cluster.
const interval = 500 * time.Millisecond

// errFailed marks a state that waiting does not improve.
var errFailed = errors.New("reconciling failed")

// WaitServed waits until the cluster serves an API version, such as
// data.packaging.carvel.dev/v1alpha1, which kapp-controller serves itself.
func (c *Client) WaitServed(ctx context.Context, groupVersion string) error {
	return poll(ctx, func(context.Context) error {
		if _, err := c.served.ServerResourcesForGroupVersion(groupVersion); err != nil {
			return fmt.Errorf("asking the cluster for %s (is kapp-controller installed?): %w", groupVersion, err)
		}
		return nil
	})
}

// A failure may be tried again: once if it comes quickly, since a PackageInstall
// repeats at first what its App said of what it had before, and for as long as
// a start takes if the API server is the reason. A kapp-controller that was just
// started again fails while the API that it serves itself is not back yet, and
// would try again only minutes later.
const (
	quickly     = 30 * time.Second
	startOfAPIs = time.Minute
)

// applyAndWait applies one of kapp-controller's objects, whose work worker
// does, and waits until it has reconciled this very generation of it.
func (c *Client) applyAndWait(ctx context.Context, o, worker *unstructured.Unstructured) error {
	begun := time.Now()
	for attempt := 1; ; attempt++ {
		err := c.applyOnce(ctx, o, worker)
		took := time.Since(begun)
		again := attempt == 1 && took < quickly || passing(err) && took < startOfAPIs
		if !errors.Is(err, errFailed) || !again {
			return err
		}
		failed := retry.Attempt{What: "applying " + o.GetKind() + " " + o.GetName() + " again", Why: err.Error(), Failed: attempt}
		if err := failed.Pause(ctx, nil); err != nil {
			return err
		}
		if err := c.WaitServed(ctx, packagesAPI); err != nil {
			return err
		}
	}
}

// passing tells a failure that has to do with the API server from one that is
// the package's own, which no second try improves.
func passing(err error) bool {
	if err == nil {
		return false
	}
	return saysOne(err.Error(), "server API", "discovery", "unable to handle the request", "connection refused", packagesAPI)
}

func saysOne(text string, signs ...string) bool {
	return slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(text, sign) })
}

func (c *Client) applyOnce(ctx context.Context, o, worker *unstructured.Unstructured) error {
	if err := c.restart(ctx, o, worker); err != nil {
		return err
	}
	applied, err := c.apply(ctx, o)
	if err != nil {
		return err
	}
	return c.waitReconciled(ctx, o, worker, applied.GetGeneration())
}

// waitReconciled waits until an object's generation has reconciled, and so has
// what its worker is by then.
func (c *Client) waitReconciled(ctx context.Context, o, worker *unstructured.Unstructured, generation int64) error {
	return poll(ctx, func(ctx context.Context) error {
		current, err := c.get(ctx, o)
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("%s %s: %w: somebody deleted it meanwhile", o.GetKind(), o.GetName(), errFailed)
		}
		if err != nil {
			return err
		}
		if err := reconciled(current, generation); err != nil {
			return err
		}
		// A PackageInstall says what its App said before it changed the App.
		working, err := c.get(ctx, worker)
		if err != nil {
			return err
		}
		return reconciled(working, working.GetGeneration())
	})
}

func (c *Client) get(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	current, err := c.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("asking for %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return current, nil
}

// deleteAndWait deletes an object and waits until it is gone.
func (c *Client) deleteAndWait(ctx context.Context, o *unstructured.Unstructured) error {
	r := c.resource(o)
	if err := r.Delete(ctx, o.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return c.waitDeleted(ctx, o)
}

// waitDeletion lets a deletion that is under way end. What is applied to an
// object that is being deleted goes with it.
func (c *Client) waitDeletion(ctx context.Context, o *unstructured.Unstructured) error {
	current, err := c.get(ctx, o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || current.GetDeletionTimestamp() == nil {
		return err
	}
	return c.waitDeleted(ctx, o)
}

func (c *Client) waitDeleted(ctx context.Context, o *unstructured.Unstructured) error {
	return poll(ctx, func(ctx context.Context) error {
		current, err := c.get(ctx, o)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return deleting(current)
	})
}

// reconciled is nil when kapp-controller has reconciled the generation, wraps
// errFailed when it has failed to, and is any other error before that.
func reconciled(o *unstructured.Unstructured, generation int64) error {
	observed, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
	if observed < generation {
		return fmt.Errorf("%s %s: kapp-controller has not seen it yet", o.GetKind(), o.GetName())
	}
	if condition(o, "ReconcileFailed") {
		return fmt.Errorf("%s %s: %w: %s", o.GetKind(), o.GetName(), errFailed, trouble(o))
	}
	if condition(o, "ReconcileSucceeded") {
		return nil
	}
	return fmt.Errorf("%s %s: %s", o.GetKind(), o.GetName(), description(o))
}

// What kapp-controller complains of and soon tries again by itself.
const (
	// stillEnding begins kapp's complaint of pods that have not ended when all else
	// of a package is gone.
	stillEnding = "Expected all resources to be gone"
	// conflict is the API server's answer to who changes an older state of an object
	// (OptimisticLockErrorMsg in k8s.io/apiserver). kapp-controller meets it between
	// its own parts: one deletes an App, the other writes into it.
	conflict = "the object has been modified"
)

// deleting wraps errFailed when kapp-controller could not delete.
func deleting(o *unstructured.Unstructured) error {
	say := description(o)
	if condition(o, "DeleteFailed") {
		say = trouble(o)
		if !saysOne(say, stillEnding, conflict) {
			return fmt.Errorf("%s %s: %w: %s", o.GetKind(), o.GetName(), errFailed, say)
		}
	}
	return fmt.Errorf("%s %s is still being deleted: %s", o.GetKind(), o.GetName(), say)
}

// condition tells whether a condition of the status is true.
func condition(o *unstructured.Unstructured, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		fields, _ := c.(map[string]any)
		if fields["type"] == kind && fields["status"] == "True" {
			return true
		}
	}
	return false
}

// trouble is what kapp-controller has to say about a failure, the tool's own
// words where it kept them.
func trouble(o *unstructured.Unstructured) string {
	if useful, _, _ := unstructured.NestedString(o.Object, "status", "usefulErrorMessage"); useful != "" {
		return useful
	}
	return description(o)
}

func description(o *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(o.Object, "status", "friendlyDescription")
	return text
}

// poll asks until the answer is nil, an errFailed, or ctx ends; it then tells
// the last answer.
func poll(ctx context.Context, ask func(context.Context) error) error {
	return retry.Until(ctx, interval, errFailed, ask)
}
