package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"knative.dev/networking/pkg/apis/networking"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	reconcilers "knative.dev/networking/pkg/client/injection/reconciler/networking/v1alpha1/ingress"
	listers "knative.dev/networking/pkg/client/listers/networking/v1alpha1"
	"knative.dev/pkg/reconciler"
)

const (
	// routableWithin bounds the wait for a child that Traefik cannot serve. It does not
	// serve the parent either, such as that of a DomainMapping.
	routableWithin = 30 * time.Second

	// followerReady is the time after which a pod that is not the leader is ready. Until
	// then it may become the leader, and would have work to do first.
	followerReady = 15 * time.Second
)

// handover reconciles the Ingresses of Traefik's class, so that a change of the default
// ingress class interrupts no route.
//
// When the default becomes the program's class, Knative changes the class of each Ingress.
// Traefik then drops its routes at once. So the child must be there before: the program
// also gives children to Ingresses of Traefik's class whose class is going to change, and
// its pod is not ready before these are routable. kapp changes the default after that.
//
// When the class of a parent becomes another one, its child goes. Traefik reads the change
// of the parent before it reads the end of the child, so its routes are never without both.
type handover struct {
	class string
	// isDefault is true if the default ingress class is the program's or is about to be.
	isDefault bool
	children  *children
	parents   listers.IngressLister
	owners    metadata.Interface
	status    probing
	now       func() time.Time

	mu          sync.Mutex
	started     time.Time
	leads, done bool
	// begun is when a child was first seen to be there, and settled whether nothing is
	// left to do for an Ingress.
	begun   map[types.NamespacedName]time.Time
	settled map[types.NamespacedName]bool
}

var _ reconcilers.Interface = (*handover)(nil)

// ReconcileKind handles an Ingress of Traefik's class: a child, or one that Knative created.
func (h *handover) ReconcileKind(ctx context.Context, ing *v1alpha1.Ingress) reconciler.Event {
	ing.SetDefaults(ctx)
	if isChild(ing) {
		return h.retire(ctx, ing)
	}
	return h.adopt(ctx, ing)
}

// adopt gives an Ingress of Traefik's class a child if its class is going to change, and
// takes it back otherwise.
func (h *handover) adopt(ctx context.Context, parent *v1alpha1.Ingress) error {
	key := types.NamespacedName{Namespace: parent.Namespace, Name: parent.Name}
	moves, err := h.moves(ctx, parent)
	if err != nil {
		return err
	}
	if !moves {
		h.settle(key)
		child, err := h.parents.Ingresses(parent.Namespace).Get(childName(parent.Name))
		if apierrs.IsNotFound(err) || err == nil && !metav1.IsControlledBy(child, parent) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the child of the Ingress %s: %w", key, err)
		}
		return h.children.remove(ctx, child)
	}
	if err := h.children.ensure(ctx, parent); errors.Is(err, errNotOwned) {
		h.settle(key)
		return nil
	} else if err != nil {
		return err
	}
	h.begin(key)
	ready, err := h.status.IsReady(ctx, parent)
	var none *noPodsError
	if errors.As(err, &none) {
		return nil // It is not served now, and new pods are an event.
	}
	if ready {
		h.settle(key)
	}
	return err
}

// retire deletes a child whose parent belongs to neither the program's class nor, on its
// way there, to Traefik's.
func (h *handover) retire(ctx context.Context, child *v1alpha1.Ingress) error {
	owner := metav1.GetControllerOf(child)
	if owner == nil {
		return nil
	}
	parent, err := h.parents.Ingresses(child.Namespace).Get(owner.Name)
	if apierrs.IsNotFound(err) || err == nil && parent.UID != owner.UID {
		return nil // Kubernetes' garbage collector deletes it.
	} else if err != nil {
		return fmt.Errorf("reading the parent of the Ingress %s/%s: %w", child.Namespace, child.Name, err)
	}
	switch networking.GetIngressClass(parent.Annotations) {
	case h.class, traefikClass:
		return nil // adopt decides on the latter.
	}
	return h.children.remove(ctx, child)
}

// moves tells whether Knative is going to give an Ingress of Traefik's class the program's:
// its owner names that one, or names none and the default is or becomes that one.
func (h *handover) moves(ctx context.Context, ing *v1alpha1.Ingress) (bool, error) {
	ref := metav1.GetControllerOf(ing)
	if ref == nil {
		return false, nil // Whoever created it chose Traefik's class.
	}
	resource, ok := owners[ref.Kind]
	if !ok {
		return false, nil
	}
	owner, err := h.owners.Resource(resource).Namespace(ing.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrs.IsNotFound(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("reading the %s %s/%s: %w", ref.Kind, ing.Namespace, ref.Name, err)
	}
	if class := networking.GetIngressClass(owner.Annotations); class != "" {
		return class == h.class, nil
	}
	return h.isDefault, nil
}

// owners are the kinds for which Knative creates Ingresses.
var owners = map[string]schema.GroupVersionResource{
	"Route":         {Group: "serving.knative.dev", Version: "v1", Resource: "routes"},
	"DomainMapping": {Group: "serving.knative.dev", Version: "v1beta1", Resource: "domainmappings"},
}

func (h *handover) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = h.now()
	h.begun, h.settled = map[types.NamespacedName]time.Time{}, map[types.NamespacedName]bool{}
}

func (h *handover) lead(reconciler.Bucket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leads = true
}

func (h *handover) begin(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.begun[key]; !ok && !h.done {
		h.begun[key] = h.now()
	}
}

func (h *handover) settle(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.done {
		h.settled[key] = true
	}
}

// serveReadiness returns 200 once the default ingress class may become the program's.
func (h *handover) serveReadiness(w http.ResponseWriter, _ *http.Request) {
	if why := h.notReady(); why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
	}
}

// notReady returns what is left to do, or an empty string. Once there was nothing left, the
// program stays ready: later Ingresses of Traefik's class had chosen it.
func (h *handover) notReady() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.done:
		return ""
	case h.started.IsZero():
		return "not started"
	case !h.leads && h.now().Sub(h.started) < followerReady:
		return "waiting for the leader election"
	case !h.leads:
		return ""
	}
	all, err := h.parents.List(labels.Everything())
	if err != nil {
		return err.Error()
	}
	for _, ing := range all {
		key := types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name}
		if isChild(ing) || networking.GetIngressClass(ing.Annotations) != traefikClass || h.settled[key] {
			continue
		}
		begun, ok := h.begun[key]
		if !ok {
			return fmt.Sprintf("the Ingress %s has no child yet", key)
		}
		if h.now().Sub(begun) < routableWithin {
			return fmt.Sprintf("the child of the Ingress %s is not routable yet", key)
		}
	}
	h.done, h.begun, h.settled = true, nil, nil
	return ""
}
