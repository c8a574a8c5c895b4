package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// retry is how long it waits after something went wrong, such as an object
// that is not there yet.
const retry = time.Second

// Rotator keeps one secret's certificate valid and its targets informed.
type Rotator struct {
	issuer
	// Namespace and Secret name the secret, which exists already: whoever
	// mounts it decides when, and deletes it.
	Namespace, Secret string
	Targets           []Target
	// Interval is the time between two looks where no object changed.
	Interval time.Duration
	Secrets  kubernetes.Interface
	Objects  dynamic.Interface

	ready atomic.Bool
}

// Ready tells whether the secret has been filled and every target told of the
// CA; it stays true from then on.
func (r *Rotator) Ready() bool { return r.ready.Load() }

// Run looks at everything at once, whenever an object changes, and every
// Interval, until ctx ends. Several of it at once do no harm: an update that
// another made first is tried again, and then has nothing to change.
func (r *Rotator) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	r.watch(ctx, changed)
	for {
		wait := r.Interval
		if err := r.reconcile(ctx); err != nil {
			slog.Error("trying again soon", "error", err)
			wait = retry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(wait):
		}
	}
}

// watch reports changes of the secret and the targets, each by its name, so that
// the right to see others is not needed.
func (r *Rotator) watch(ctx context.Context, changed chan<- struct{}) {
	r.watchOne(ctx, corev1.SchemeGroupVersion.WithResource("secrets"), r.Namespace, r.Secret, changed)
	for _, t := range r.Targets {
		r.watchOne(ctx, t.kind.resource, metav1.NamespaceAll, t.name, changed)
	}
}

func (r *Rotator) watchOne(ctx context.Context, resource schema.GroupVersionResource, namespace, name string, changed chan<- struct{}) {
	informer := dynamicinformer.NewFilteredDynamicInformer(r.Objects, resource, namespace, 0, cache.Indexers{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	}).Informer()
	report := func(any) {
		select {
		case changed <- struct{}{}:
		default: // it will look anyway
		}
	}
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: report, UpdateFunc: func(any, any) { report(nil) }, DeleteFunc: report,
	})
	go informer.Run(ctx.Done())
}

func (r *Rotator) reconcile(ctx context.Context) error {
	ca, err := r.certificate(ctx)
	if err != nil {
		return err
	}
	failed := r.tell(ctx, ca)
	if failed == nil && !r.ready.Swap(true) {
		slog.Info("the CA is everywhere")
	}
	return failed
}

// tell writes the CA into every target; the error is that of all that failed.
func (r *Rotator) tell(ctx context.Context, ca []byte) error {
	var failed error
	for _, t := range r.Targets {
		told, err := t.tell(ctx, r.Objects, ca)
		if told {
			slog.Info("told the CA", "target", t.String())
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// certificate makes the secret's certificate if it must and answers with the CA.
func (r *Rotator) certificate(ctx context.Context) ([]byte, error) {
	secrets := r.Secrets.CoreV1().Secrets(r.Namespace)
	secret, err := secrets.Get(ctx, r.Secret, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading secret %s/%s: %w", r.Namespace, r.Secret, err)
	}
	data, renewed, err := r.renew(secret.Data, time.Now())
	if err != nil || !renewed {
		return data[keyCA], err
	}
	if len(secret.Data[keyCA]) > 0 {
		// A server may read its new certificate at once, so the new CA is known
		// before. The bundle has the last one, too; what cannot be told now is
		// told after, and must not keep the certificate from being renewed.
		if err := r.tell(ctx, data[keyCA]); err != nil {
			slog.Warn("a target does not know the new CA yet", "error", err)
		}
	}
	secret.Data = data
	if _, err := secrets.Update(ctx, secret, metav1.UpdateOptions{FieldManager: "rotator"}); err != nil {
		return nil, fmt.Errorf("writing a new certificate into secret %s/%s: %w", r.Namespace, r.Secret, err)
	}
	slog.Info("made a certificate", "secret", r.Namespace+"/"+r.Secret, "names", r.Names)
	return data[keyCA], nil
}
