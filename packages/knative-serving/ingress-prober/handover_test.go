package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
)

const kourier = "kourier.ingress.networking.knative.dev"

// TestHandover changes the default from Traefik's class to the program's, as an upgrade of
// the package does. The child must be there and routable before, and stay as it is.
func TestHandover(t *testing.T) {
	ref, route := owner("Route", "hello", "")
	r := run(t, route)
	pod := r.pod(t)
	parent := newIngress("hello", traefikClass, ref)
	parent.Status = readyByTraefik()
	r.create(t, parent)

	before := r.waitChild(t, "hello")
	require.Equal(t, http.StatusServiceUnavailable, r.readiness(t))
	pod.load(t)
	eventually(t, func() bool { return r.readiness(t) == http.StatusOK })

	r.setClass(t, "hello", class)
	require.Never(t, func() bool {
		child := r.child(t, "hello")
		return child == nil || child.UID != before.UID || !r.get(t, "hello").IsReady()
	}, 600*time.Millisecond, 20*time.Millisecond)
	require.Equal(t, before.Spec, r.child(t, "hello").Spec)
}

// TestHandoverBack changes the default to another class. The child goes after its parent has
// the other class, and none is created again.
func TestHandoverBack(t *testing.T) {
	for _, other := range []string{traefikClass, kourier} {
		t.Run(other, func(t *testing.T) {
			ref, route := owner("Route", "hello", "")
			r := runWith(t, false, route)
			r.create(t, newIngress("hello", class, ref))
			r.waitChild(t, "hello")

			r.setClass(t, "hello", other)
			eventually(t, func() bool { return r.child(t, "hello") == nil })
			require.Never(t, func() bool { return r.child(t, "hello") != nil }, 300*time.Millisecond, 20*time.Millisecond)
		})
	}
}

// TestAdopts tells which Ingresses of Traefik's class get a child.
func TestAdopts(t *testing.T) {
	for name, test := range map[string]struct {
		kind, class string
		isDefault   bool
		adopts      bool
	}{
		"a Route":                               {"Route", "", true, true},
		"a Route, with another default":         {"Route", "", false, false},
		"a Route of the program's class":        {"Route", class, false, true},
		"a Route of Traefik's class":            {"Route", traefikClass, true, false},
		"a DomainMapping":                       {"DomainMapping", "", true, true},
		"a DomainMapping, with another default": {"DomainMapping", "", false, false},
		"an owner of another kind":              {"Gateway", "", true, false},
		"no owner":                              {"", "", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			var ref *metav1.OwnerReference
			var objects []runtime.Object
			if test.kind != "" {
				var object *metav1.PartialObjectMetadata
				ref, object = owner(test.kind, "hello", test.class)
				objects = append(objects, object)
			}
			r := runWith(t, test.isDefault, objects...)
			r.create(t, newIngress("hello", traefikClass, ref))
			if test.adopts {
				r.waitChild(t, "hello")
				return
			}
			eventually(t, func() bool { return r.readiness(t) == http.StatusOK })
			require.Nil(t, r.child(t, "hello"))
		})
	}
}

// TestRouteChoosesTraefik gives the routes back to Traefik if their owner asks for it.
func TestRouteChoosesTraefik(t *testing.T) {
	ref, route := owner("Route", "hello", traefikClass)
	r := run(t, route)
	r.create(t, newIngress("hello", class, ref))
	r.waitChild(t, "hello")
	r.setClass(t, "hello", traefikClass)
	eventually(t, func() bool { return r.child(t, "hello") == nil })
}

// TestReadiness gives up on children that Traefik cannot serve, and on the leader election.
func TestReadiness(t *testing.T) {
	ref, route := owner("Route", "hello", "")
	r := run(t, route)
	r.create(t, newIngress("hello", traefikClass, ref))
	r.waitChild(t, "hello")
	eventually(t, func() bool { return r.handover.notReady() == "the child of the Ingress shop/hello is not routable yet" })
	r.later(routableWithin)
	require.Empty(t, r.handover.notReady())

	follower := &handover{now: time.Now}
	require.Equal(t, "not started", follower.notReady())
	follower.start()
	require.Equal(t, "waiting for the leader election", follower.notReady())
	follower.now = func() time.Time { return time.Now().Add(followerReady) }
	require.Empty(t, follower.notReady())
}

func (r *running) readiness(t *testing.T) int {
	t.Helper()
	recorder := httptest.NewRecorder()
	r.handover.serveReadiness(recorder, nil)
	return recorder.Code
}

// later lets time pass for the handover.
func (r *running) later(by time.Duration) {
	r.handover.mu.Lock()
	defer r.handover.mu.Unlock()
	r.handover.now = func() time.Time { return time.Now().Add(by) }
}

// readyByTraefik is a status as Traefik writes it.
func readyByTraefik() v1alpha1.IngressStatus {
	status := v1alpha1.IngressStatus{}
	status.InitializeConditions()
	status.MarkNetworkConfigured()
	at := func(name string) []v1alpha1.LoadBalancerIngressStatus {
		return []v1alpha1.LoadBalancerIngressStatus{{DomainInternal: name + ".ingress.svc.cluster.local"}}
	}
	status.MarkLoadBalancerReady(at("traefik"), at("traefik-private"))
	status.ObservedGeneration = 1
	return status
}
