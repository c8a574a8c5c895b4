package main

import (
	"context"
	"time"

	"go.uber.org/zap"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	discoveryinformers "k8s.io/client-go/informers/discovery/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"knative.dev/networking/pkg/apis/networking"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	networkingclient "knative.dev/networking/pkg/client/injection/client"
	ingressinformer "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/ingress"
	reconcilers "knative.dev/networking/pkg/client/injection/reconciler/networking/v1alpha1/ingress"
	"knative.dev/networking/pkg/status"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
)

// controllers returns the constructors of both controllers. They share the prober, since
// an Ingress that has been probed with Traefik's class need not be probed again.
func controllers(p *prober, h *handover, owners metadata.Interface) []injection.ControllerConstructor {
	var impls []*controller.Impl
	enqueue := func(key types.NamespacedName) {
		for _, impl := range impls {
			impl.EnqueueKey(key) // The controller of another class ignores it.
		}
	}
	var shared *status.Prober
	return []injection.ControllerConstructor{
		func(ctx context.Context, _ configmap.Watcher) *controller.Impl {
			slices := traefiksSlices(ctx, p.traefik.namespace)
			shared = status.NewProber(logging.FromContext(ctx).Named("probes"), &targets{p.traefik, slices.Lister()}, func(ing *v1alpha1.Ingress) {
				enqueue(types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name})
			})
			shared.Start(ctx.Done())
			impls = append(impls, newProber(ctx, p, shared))
			handle(ctx, slices.Informer(), func(obj any) bool { return isOf(obj, p.traefik) }, onChange(func() {
				probeAgain(ctx, p, shared, enqueue)
			}))
			return impls[0]
		},
		func(ctx context.Context, _ configmap.Watcher) *controller.Impl {
			impls = append(impls, newHandover(ctx, h, shared, owners))
			return impls[1]
		},
	}
}

// traefiksSlices watches the EndpointSlices of Traefik's namespace. Knative's informers
// watch all namespaces or that of Knative, and the program may read neither.
func traefiksSlices(ctx context.Context, namespace string) discoveryinformers.EndpointSliceInformer {
	factory := informers.NewSharedInformerFactoryWithOptions(kubeclient.Get(ctx), controller.GetResyncPeriod(ctx), informers.WithNamespace(namespace))
	slices := factory.Discovery().V1().EndpointSlices()
	slices.Informer() // This registers it with the factory.
	factory.Start(ctx.Done())
	return slices
}

// newProber returns the controller of the program's class.
func newProber(ctx context.Context, p *prober, probes probing) *controller.Impl {
	ingresses := ingressinformer.Get(ctx)
	ours := reconciler.AnnotationFilterFunc(networking.IngressClassAnnotationKey, p.class, false)
	p.children = &children{networkingclient.Get(ctx), ingresses.Lister()}
	p.status = probes
	impl := reconcilers.NewImpl(ctx, p, p.class, func(*controller.Impl) controller.Options {
		return controller.Options{PromoteFilterFunc: ours}
	})
	handle(ctx, ingresses.Informer(), ours, controller.HandleAll(impl.Enqueue))
	// A parent is reconciled if its child changes.
	handle(ctx, ingresses.Informer(), controller.FilterController(&v1alpha1.Ingress{}), controller.HandleAll(impl.EnqueueControllerOf))
	return impl
}

// probeAgain begins the probes of all Ingresses that are not ready yet again. Knative's
// prober probes the pods that there were in the beginning, and takes the end of a pod for
// success.
func probeAgain(ctx context.Context, p *prober, probes probing, enqueue func(types.NamespacedName)) {
	all, err := ingressinformer.Get(ctx).Lister().List(labels.Everything())
	if err != nil {
		logging.FromContext(ctx).Errorw("Listing Ingresses", zap.Error(err))
	}
	for _, ing := range all {
		class := networking.GetIngressClass(ing.Annotations)
		if class == p.class && !ing.IsReady() || class == traefikClass && !isChild(ing) {
			key := types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name}
			probes.CancelIngressProbingByKey(key)
			enqueue(key)
		}
	}
}

func isOf(obj any, t traefik) bool {
	if deleted, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = deleted.Obj
	}
	slice, ok := obj.(*discoveryv1.EndpointSlice)
	return ok && (slice.Labels[discoveryv1.LabelServiceName] == t.public || slice.Labels[discoveryv1.LabelServiceName] == t.private)
}

// onChange calls a function if the ready addresses of EndpointSlices change.
func onChange(do func()) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { do() },
		DeleteFunc: func(any) { do() },
		UpdateFunc: func(before, after any) {
			if !readyAddresses(before.(*discoveryv1.EndpointSlice)).Equal(readyAddresses(after.(*discoveryv1.EndpointSlice))) {
				do()
			}
		},
	}
}

// newHandover returns the controller of Traefik's class.
func newHandover(ctx context.Context, h *handover, probes probing, owners metadata.Interface) *controller.Impl {
	ingresses := ingressinformer.Get(ctx)
	traefiks := reconciler.AnnotationFilterFunc(networking.IngressClassAnnotationKey, traefikClass, false)
	h.children = &children{networkingclient.Get(ctx), ingresses.Lister()}
	h.parents, h.owners, h.status, h.now = ingresses.Lister(), owners, probes, time.Now
	h.start()
	impl := reconcilers.NewImpl(ctx, h, traefikClass, func(*controller.Impl) controller.Options {
		// Traefik writes the status of these.
		return controller.Options{PromoteFilterFunc: traefiks, PromoteFunc: h.lead, SkipStatusUpdates: true}
	})
	handle(ctx, ingresses.Informer(), traefiks, controller.HandleAll(impl.Enqueue))
	// The class of a parent decides on its child.
	handle(ctx, ingresses.Informer(), reconciler.Not(traefiks), controller.HandleAll(func(obj any) {
		if ing, ok := obj.(*v1alpha1.Ingress); ok && networking.GetIngressClass(ing.Annotations) != h.class {
			impl.EnqueueKey(types.NamespacedName{Namespace: ing.Namespace, Name: childName(ing.Name)})
		}
	}))
	return impl
}

// handle adds an event handler with a filter.
func handle(ctx context.Context, informer cache.SharedIndexInformer, filter func(any) bool, handler cache.ResourceEventHandler) {
	if _, err := informer.AddEventHandler(cache.FilteringResourceEventHandler{FilterFunc: filter, Handler: handler}); err != nil {
		logging.FromContext(ctx).Fatalw("Watching objects", zap.Error(err))
	}
}
