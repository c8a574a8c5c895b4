package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	reconcilers "knative.dev/networking/pkg/client/injection/reconciler/networking/v1alpha1/ingress"
	"knative.dev/networking/pkg/status"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/network"
	"knative.dev/pkg/reconciler"
)

// noPodsRetry is the time after which an Ingress is looked at again if Traefik has no pods.
// Changes of the pods come as events; this is for events that were missed.
const noPodsRetry = 10 * time.Second

// prober reconciles the Ingresses of the program's class.
type prober struct {
	class    string
	traefik  traefik
	children *children
	status   probing
}

// probing is the part of [status.Prober] that the reconcilers use.
type probing interface {
	status.Manager
	CancelIngressProbingByKey(types.NamespacedName)
}

var (
	_ reconcilers.Interface          = (*prober)(nil)
	_ reconciler.OnDeletionInterface = (*prober)(nil)
	_ probing                        = (*status.Prober)(nil)
)

// ReconcileKind gives an Ingress its child, and marks it ready once Traefik's pods answer
// with its routes.
func (p *prober) ReconcileKind(ctx context.Context, ing *v1alpha1.Ingress) reconciler.Event {
	ing.SetDefaults(ctx)
	probed := ing.DeepCopy()
	switch err := p.children.ensure(ctx, probed); {
	case errors.Is(err, errNotOwned):
		// The end of the other Ingress is an event; trying again does not help.
		ing.Status.MarkResourceNotOwned("Ingress", childName(ing.Name))
		return nil
	case err != nil:
		ing.Status.MarkIngressNotReady("ChildFailed", err.Error())
		return err
	}
	ing.Status.MarkNetworkConfigured()
	// A new generation of an Ingress is never ready here, whatever its conditions say. An
	// Ingress that was ready stays so when the program starts again.
	if ing.IsReady() && p.reports(ing.Status) {
		return nil
	}
	return p.probe(ctx, ing, probed)
}

// probe marks an Ingress ready or not ready. The status of ing changes while it is
// reconciled; probed is what the prober identifies the Ingress by.
func (p *prober) probe(ctx context.Context, ing, probed *v1alpha1.Ingress) error {
	ready, err := p.status.IsReady(ctx, probed)
	var none *noPodsError
	switch {
	case errors.As(err, &none):
		ing.Status.MarkLoadBalancerNotReady()
		ing.Status.MarkIngressNotReady("NoPods", err.Error())
		return controller.NewRequeueAfter(noPodsRetry)
	case err != nil:
		ing.Status.MarkLoadBalancerNotReady()
		return fmt.Errorf("probing the Ingress %s/%s: %w", ing.Namespace, ing.Name, err)
	case ready:
		ing.Status.MarkLoadBalancerReady(p.balancer(p.traefik.public), p.balancer(p.traefik.private))
	default:
		ing.Status.MarkLoadBalancerNotReady()
	}
	return nil
}

// ObserveDeletion ends the probes of an Ingress. Its owner reference deletes the child.
func (p *prober) ObserveDeletion(_ context.Context, key types.NamespacedName) error {
	p.status.CancelIngressProbingByKey(key)
	return nil
}

func (p *prober) balancer(service string) []v1alpha1.LoadBalancerIngressStatus {
	return []v1alpha1.LoadBalancerIngressStatus{{DomainInternal: network.GetServiceHostname(service, p.traefik.namespace)}}
}

// reports tells whether a status has the addresses of Traefik's Services.
func (p *prober) reports(s v1alpha1.IngressStatus) bool {
	has := func(balancer *v1alpha1.LoadBalancerStatus, service string) bool {
		return balancer != nil && len(balancer.Ingress) == 1 && balancer.Ingress[0] == p.balancer(service)[0]
	}
	return has(s.PublicLoadBalancer, p.traefik.public) && has(s.PrivateLoadBalancer, p.traefik.private)
}
