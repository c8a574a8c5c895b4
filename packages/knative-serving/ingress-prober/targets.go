package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	listers "k8s.io/client-go/listers/discovery/v1"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	"knative.dev/networking/pkg/status"
)

// targets lists what to probe: every host of an Ingress, at every entry point of every pod
// of Traefik.
type targets struct {
	traefik traefik
	slices  listers.EndpointSliceLister
}

var _ status.ProbeTargetLister = (*targets)(nil)

// noPodsError is the error of a Service without ready pods, or without the port. Knative's
// prober takes an empty list of targets for success.
type noPodsError struct{ namespace, service, port string }

func (e *noPodsError) Error() string {
	if e.port == "" {
		return fmt.Sprintf("the Service %s/%s has no ready pods", e.namespace, e.service)
	}
	return fmt.Sprintf("the Service %s/%s has no ready pods with a port named %s", e.namespace, e.service, e.port)
}

// ListProbeTargets returns the targets of an Ingress. It returns an error if there is no
// pod to probe.
func (t *targets) ListProbeTargets(_ context.Context, ing *v1alpha1.Ingress) ([]status.ProbeTarget, error) {
	public, private := sets.New[string](), sets.New[string]()
	for _, rule := range ing.Spec.Rules {
		if rule.Visibility == v1alpha1.IngressVisibilityClusterLocal {
			private.Insert(rule.Hosts...)
		} else {
			public.Insert(rule.Hosts...)
		}
	}
	var all []status.ProbeTarget
	add := func(service, port, scheme string, hosts sets.Set[string]) error {
		if hosts.Len() == 0 {
			return nil
		}
		found, err := t.pods(service, port)
		for i := range found {
			found[i].URLs = urls(scheme, hosts)
		}
		all = append(all, found...)
		return err
	}
	for _, port := range t.traefik.http {
		if err := add(t.traefik.public, port, "http", public); err != nil {
			return nil, err
		}
	}
	for _, port := range t.traefik.https {
		if err := add(t.traefik.public, port, "https", public); err != nil {
			return nil, err
		}
	}
	if err := add(t.traefik.private, "", "http", private); err != nil {
		return nil, err
	}
	return all, nil
}

// pods returns the ready pods of a Service with the number of a named port, or of all TCP
// ports without a name. Ports have numbers by EndpointSlice: pods can differ in the number
// that a name stands for.
func (t *targets) pods(service, port string) ([]status.ProbeTarget, error) {
	found, err := t.slices.EndpointSlices(t.traefik.namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service}))
	if err != nil {
		return nil, fmt.Errorf("listing the pods of the Service %s/%s: %w", t.traefik.namespace, service, err)
	}
	var list []status.ProbeTarget
	for _, slice := range found {
		addresses := readyAddresses(slice)
		for _, p := range slice.Ports {
			if addresses.Len() > 0 && matches(p, port) {
				list = append(list, status.ProbeTarget{PodIPs: addresses, PodPort: strconv.Itoa(int(*p.Port))})
			}
		}
	}
	if len(list) == 0 {
		return nil, &noPodsError{t.traefik.namespace, service, port}
	}
	return list, nil
}

func matches(p discoveryv1.EndpointPort, name string) bool {
	tcp := p.Protocol == nil || *p.Protocol == "TCP"
	return tcp && p.Port != nil && (name == "" || p.Name != nil && *p.Name == name)
}

// readyAddresses are those of the pods that get requests. A pod that is being terminated
// gets none; its last answers need no probe.
func readyAddresses(slice *discoveryv1.EndpointSlice) sets.Set[string] {
	addresses := sets.New[string]()
	for _, endpoint := range slice.Endpoints {
		// Unknown means ready, by the API's description.
		if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
			addresses.Insert(endpoint.Addresses...)
		}
	}
	return addresses
}

func urls(scheme string, hosts sets.Set[string]) []*url.URL {
	var list []*url.URL
	for _, host := range sets.List(hosts) {
		list = append(list, &url.URL{Scheme: scheme, Host: host})
	}
	return list
}
