package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	listers "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
)

func TestTargets(t *testing.T) {
	public := slice("public", "traefik", []discoveryv1.EndpointPort{port("web", 8000), port("websecure", 8443), udp("websecure-http3", 8443)},
		endpoint("10.0.0.1", nil), endpoint("10.0.0.2", new(true)), endpoint("10.0.0.3", new(false)))
	older := slice("older", "traefik", []discoveryv1.EndpointPort{port("web", 80), port("websecure", 443)}, endpoint("10.0.0.4", new(true)))
	private := slice("private", "traefik-private", []discoveryv1.EndpointPort{port("http2", 8081)}, endpoint("fd00::1", new(true)))
	other := slice("other", "shop", []discoveryv1.EndpointPort{port("web", 1)}, endpoint("10.0.0.9", new(true)))
	elsewhere := slice("elsewhere", "traefik", []discoveryv1.EndpointPort{port("web", 2)}, endpoint("10.0.0.8", new(true)))
	elsewhere.Namespace = "shop"
	at := func(t traefik) traefik {
		t.namespace, t.public, t.private = "ingress", "traefik", "traefik-private"
		return t
	}

	both := newIngress("hello", class, nil)
	local := newIngress("local", class, nil)
	local.Spec.Rules = local.Spec.Rules[1:]

	for name, test := range map[string]struct {
		traefik traefik
		ingress *v1alpha1.Ingress
		slices  []*discoveryv1.EndpointSlice
		want    map[string][]string // addresses by URL and port
		err     string
	}{
		"every pod, host and entry point": {
			traefik: traefik{http: names{"web"}, https: names{"websecure"}}, ingress: both,
			slices: []*discoveryv1.EndpointSlice{public, older, private, other, elsewhere},
			want: map[string][]string{
				"http://" + host + " 8000":      {"10.0.0.1", "10.0.0.2"},
				"http://" + host + " 80":        {"10.0.0.4"},
				"https://" + host + " 8443":     {"10.0.0.1", "10.0.0.2"},
				"https://" + host + " 443":      {"10.0.0.4"},
				"http://" + localHost + " 8081": {"fd00::1"},
			},
		},
		"local hosts need no public pods": {
			traefik: traefik{http: names{"web"}}, ingress: local, slices: []*discoveryv1.EndpointSlice{private},
			want: map[string][]string{"http://" + localHost + " 8081": {"fd00::1"}},
		},
		"no pods": {
			traefik: traefik{http: names{"web"}}, ingress: both, slices: []*discoveryv1.EndpointSlice{private},
			err: "the Service ingress/traefik has no ready pods with a port named web",
		},
		"no private pods": {
			traefik: traefik{http: names{"web"}}, ingress: both, slices: []*discoveryv1.EndpointSlice{public},
			err: "the Service ingress/traefik-private has no ready pods",
		},
		"no such port": {
			traefik: traefik{http: names{"plain"}}, ingress: both, slices: []*discoveryv1.EndpointSlice{public, private},
			err: "the Service ingress/traefik has no ready pods with a port named plain",
		},
		"a port of UDP": {
			traefik: traefik{http: names{"websecure-http3"}}, ingress: both, slices: []*discoveryv1.EndpointSlice{public, private},
			err: "the Service ingress/traefik has no ready pods with a port named websecure-http3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
			for _, s := range test.slices {
				require.NoError(t, indexer.Add(s))
			}
			found, err := (&targets{at(test.traefik), listers.NewEndpointSliceLister(indexer)}).ListProbeTargets(t.Context(), test.ingress)
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
			got := map[string][]string{}
			for _, target := range found {
				for _, u := range target.URLs {
					got[u.String()+" "+target.PodPort] = sets.List(target.PodIPs)
				}
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestOptions(t *testing.T) {
	valid := options{class, true, traefik{"ingress", "traefik", "traefik-private", names{"web"}, nil}}
	require.NoError(t, valid.check())
	for message, change := range map[string]func(*options){
		`-ingress-class is "": set a class of its own, since Traefik serves traefik.ingress.networking.knative.dev itself`:                                       func(o *options) { o.class = "" },
		`-ingress-class is "traefik.ingress.networking.knative.dev": set a class of its own, since Traefik serves traefik.ingress.networking.knative.dev itself`: func(o *options) { o.class = traefikClass },
		"-traefik-namespace, -public-service and -private-service must not be empty":                                                                             func(o *options) { o.traefik.private = "" },
		"no -http-port and no -https-port: without a port to probe, no public Ingress would become ready":                                                        func(o *options) { o.traefik.http = nil },
	} {
		o := valid
		change(&o)
		require.EqualError(t, o.check(), message)
	}
}

func slice(name, service string, ports []discoveryv1.EndpointPort, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ingress", Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		Ports:      ports, Endpoints: endpoints,
	}
}

func port(name string, number int32) discoveryv1.EndpointPort {
	return discoveryv1.EndpointPort{Name: &name, Port: &number, Protocol: new(corev1.ProtocolTCP)}
}

func udp(name string, number int32) discoveryv1.EndpointPort {
	return discoveryv1.EndpointPort{Name: &name, Port: &number, Protocol: new(corev1.ProtocolUDP)}
}

func endpoint(address string, ready *bool) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ready}}
}
