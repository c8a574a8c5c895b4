package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	metadatafake "k8s.io/client-go/metadata/fake"
	"knative.dev/networking/pkg/apis/networking"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	clientset "knative.dev/networking/pkg/client/clientset/versioned"
	networkingclient "knative.dev/networking/pkg/client/injection/client"
	_ "knative.dev/networking/pkg/client/injection/client/fake"
	_ "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/ingress/fake"
	"knative.dev/networking/pkg/http/header"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	_ "knative.dev/pkg/client/injection/kube/client/fake"
	cminformer "knative.dev/pkg/configmap/informer"
	"knative.dev/pkg/controller"
	rtesting "knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/system"
	_ "knative.dev/pkg/system/testing"
)

const (
	class     = "strake.ingress.networking.knative.dev"
	host      = "hello.shop.example.com"
	localHost = "hello.shop.svc.cluster.local"
)

// TestReadyOnceEveryPodAnswers creates an Ingress and loads its child in one pod of Traefik
// after the other.
func TestReadyOnceEveryPodAnswers(t *testing.T) {
	r := run(t)
	first, second := r.pod(t), r.pod(t)
	r.create(t, newIngress("hello", class, nil))

	child := r.waitChild(t, "hello")
	require.True(t, metav1.IsControlledBy(child, r.get(t, "hello")))
	require.Equal(t, map[string]string{networking.IngressClassAnnotationKey: traefikClass}, child.Annotations)
	require.Equal(t, map[string]string{"team": "shop", childLabel: "true"}, child.Labels)
	require.Len(t, child.Spec.Rules[0].HTTP.Paths, 2, "the route, and the one for probes")

	first.load(t)
	r.staysUnready(t, "hello")
	second.load(t)
	status := r.waitReady(t, "hello").Status
	require.Equal(t, "traefik.ingress.svc.cluster.local", status.PublicLoadBalancer.Ingress[0].DomainInternal)
	require.Equal(t, "traefik-private.ingress.svc.cluster.local", status.PrivateLoadBalancer.Ingress[0].DomainInternal)
}

// TestNewGenerationCancelsTheProbe updates an Ingress twice. Answers of the first update
// must not make the second ready.
func TestNewGenerationCancelsTheProbe(t *testing.T) {
	r := run(t)
	pod := r.pod(t)
	r.create(t, newIngress("hello", class, nil))
	r.waitChild(t, "hello")
	pod.load(t)
	r.waitReady(t, "hello")

	r.route(t, "hello", "second")
	r.waitRoute(t, "second")
	r.staysUnready(t, "hello")
	r.route(t, "hello", "third")
	pod.load(t) // Either of them.
	r.waitRoute(t, "third")
	r.staysUnreadyUnless(t, "hello", pod.loaded("third"))
	pod.load(t)
	r.waitReady(t, "hello")
}

// TestPodsChange has no pods in the beginning, then one that never answers, and in the end
// another one.
func TestPodsChange(t *testing.T) {
	r := run(t)
	r.create(t, newIngress("hello", class, nil))
	r.waitChild(t, "hello")
	eventually(t, func() bool {
		condition := r.get(t, "hello").Status.GetCondition(v1alpha1.IngressConditionReady)
		return condition != nil && condition.Reason == "NoPods"
	})
	silent := r.pod(t)
	r.staysUnready(t, "hello")
	pod := r.pod(t)
	silent.remove(t)
	r.staysUnready(t, "hello")
	pod.load(t)
	r.waitReady(t, "hello")
}

// TestChildOfAnother leaves alone what belongs to another owner, and creates the child once
// the name is free.
func TestChildOfAnother(t *testing.T) {
	r := run(t)
	pod := r.pod(t)
	other := newIngress(childName("hello"), traefikClass, nil)
	r.create(t, other)
	r.create(t, newIngress("hello", class, nil))
	eventually(t, func() bool {
		condition := r.get(t, "hello").Status.GetCondition(v1alpha1.IngressConditionNetworkConfigured)
		return condition != nil && condition.Reason == "NotOwned"
	})
	require.NoError(t, r.client.NetworkingV1alpha1().Ingresses("shop").Delete(t.Context(), other.Name, metav1.DeleteOptions{}))
	r.touch(t, "hello")
	require.True(t, isChild(r.waitChild(t, "hello")))
	pod.load(t)
	r.waitReady(t, "hello")
}

// TestChildIsRepaired undoes changes of a child.
func TestChildIsRepaired(t *testing.T) {
	r := run(t)
	r.create(t, newIngress("hello", class, nil))
	child := r.waitChild(t, "hello").DeepCopy()
	want := child.Spec.DeepCopy()
	child.Spec.Rules = nil
	_, err := r.client.NetworkingV1alpha1().Ingresses("shop").Update(t.Context(), child, metav1.UpdateOptions{})
	require.NoError(t, err)
	eventually(t, func() bool { return len(r.get(t, child.Name).Spec.Rules) == len(want.Rules) })
}

// running is the program with fakes of the API server's clients.
type running struct {
	ctx      context.Context
	client   clientset.Interface
	kube     kubernetes.Interface
	handover *handover
	pods     int
}

// run starts both controllers, with the program's class as the default. The owners are what
// Knative created Ingresses for.
func run(t *testing.T, owners ...runtime.Object) *running {
	t.Helper()
	return runWith(t, true, owners...)
}

// runWith is run with the program's class as the default, or Traefik's.
func runWith(t *testing.T, isDefault bool, owners ...runtime.Object) *running {
	t.Helper()
	ctx, cancel, informers := rtesting.SetupFakeContextWithCancel(t)
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	cmw := cminformer.NewInformedWatcher(kubeclient.Get(ctx), system.Namespace())
	h := &handover{class: class, isDefault: isDefault}
	p := &prober{class: class, traefik: traefik{"ingress", "traefik", "traefik-private", names{"web"}, names{"websecure"}}}
	var impls []*controller.Impl
	for _, newController := range controllers(p, h, metadatafake.NewSimpleMetadataClient(scheme, owners...)) {
		impls = append(impls, newController(ctx, cmw))
	}
	require.NoError(t, cmw.Start(ctx.Done()))
	wait, err := rtesting.RunAndSyncInformers(ctx, informers...)
	require.NoError(t, err)
	var ended sync.WaitGroup
	h.lead(nil) // Without an election, the library does not announce the leader.
	ended.Go(func() { _ = controller.StartAll(ctx, impls...) })
	t.Cleanup(func() { cancel(); ended.Wait(); wait() })
	return &running{ctx: ctx, client: networkingclient.Get(ctx), kube: kubeclient.Get(ctx), handover: h}
}

// newIngress is one as Knative creates it, with a public and a private host.
func newIngress(name, class string, owner *metav1.OwnerReference) *v1alpha1.Ingress {
	rule := func(host string, visibility v1alpha1.IngressVisibility) v1alpha1.IngressRule {
		return v1alpha1.IngressRule{Hosts: []string{host}, Visibility: visibility, HTTP: &v1alpha1.HTTPIngressRuleValue{
			Paths: []v1alpha1.HTTPIngressPath{{Splits: []v1alpha1.IngressBackendSplit{{Percent: 100, IngressBackend: v1alpha1.IngressBackend{
				ServiceName: "first", ServiceNamespace: "shop", ServicePort: intstr.FromInt32(80),
			}}}}},
		}}
	}
	ing := &v1alpha1.Ingress{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "shop", UID: types.UID("uid-of-" + name), Generation: 1,
			Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{networking.IngressClassAnnotationKey: class, "other": "annotation"},
		},
		Spec: v1alpha1.IngressSpec{Rules: []v1alpha1.IngressRule{rule(host, v1alpha1.IngressVisibilityExternalIP), rule(localHost, v1alpha1.IngressVisibilityClusterLocal)}},
	}
	if owner != nil {
		ing.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	ing.SetDefaults(context.Background())
	return ing
}

func (r *running) create(t *testing.T, ing *v1alpha1.Ingress) {
	t.Helper()
	_, err := r.client.NetworkingV1alpha1().Ingresses("shop").Create(t.Context(), ing, metav1.CreateOptions{})
	require.NoError(t, err)
}

func (r *running) get(t *testing.T, name string) *v1alpha1.Ingress {
	t.Helper()
	ing, err := r.client.NetworkingV1alpha1().Ingresses("shop").Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return ing
}

// update changes the object that is stored, as a client that tries until there is no
// conflict.
func (r *running) update(t *testing.T, name string, change func(*v1alpha1.Ingress)) {
	t.Helper()
	ing := r.get(t, name).DeepCopy()
	change(ing)
	_, err := r.client.NetworkingV1alpha1().Ingresses("shop").Update(t.Context(), ing, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// route sends the requests of an Ingress to another Service.
func (r *running) route(t *testing.T, name, service string) {
	t.Helper()
	r.update(t, name, func(ing *v1alpha1.Ingress) {
		ing.Generation++
		for _, rule := range ing.Spec.Rules {
			rule.HTTP.Paths[0].Splits[0].ServiceName = service
		}
	})
}

func (r *running) touch(t *testing.T, name string) {
	t.Helper()
	r.update(t, name, func(ing *v1alpha1.Ingress) { ing.Labels["touched"] = "true" })
}

func (r *running) setClass(t *testing.T, name, class string) {
	t.Helper()
	r.update(t, name, func(ing *v1alpha1.Ingress) { ing.Annotations[networking.IngressClassAnnotationKey] = class })
}

func (r *running) child(t *testing.T, parent string) *v1alpha1.Ingress {
	t.Helper()
	child, err := r.client.NetworkingV1alpha1().Ingresses("shop").Get(t.Context(), childName(parent), metav1.GetOptions{})
	if apierrs.IsNotFound(err) {
		return nil
	}
	require.NoError(t, err)
	return child
}

func (r *running) waitChild(t *testing.T, parent string) *v1alpha1.Ingress {
	t.Helper()
	eventually(t, func() bool { return r.child(t, parent) != nil })
	return r.child(t, parent)
}

// waitRoute waits until the child of the Ingress hello sends requests to a Service.
func (r *running) waitRoute(t *testing.T, service string) {
	t.Helper()
	eventually(t, func() bool {
		return r.child(t, "hello").Spec.Rules[0].HTTP.Paths[0].Splits[0].ServiceName == service
	})
}

func (r *running) waitReady(t *testing.T, name string) *v1alpha1.Ingress {
	t.Helper()
	eventually(t, func() bool { return r.get(t, name).IsReady() })
	return r.get(t, name)
}

// staysUnready waits longer than the prober does between two probes.
func (r *running) staysUnready(t *testing.T, name string) {
	t.Helper()
	require.Never(t, func() bool { return r.get(t, name).IsReady() }, 600*time.Millisecond, 20*time.Millisecond)
}

func (r *running) staysUnreadyUnless(t *testing.T, name string, loaded bool) {
	t.Helper()
	if !loaded {
		r.staysUnready(t, name)
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, done, 20*time.Second, 10*time.Millisecond)
}

// pod is one of Traefik: it answers probes with the hash of the routes that it has loaded.
type pod struct {
	running *running
	slices  []string

	mu     sync.Mutex
	hashes map[string]string
	spec   *v1alpha1.IngressSpec
}

// pod starts one that is ready and has no routes.
func (r *running) pod(t *testing.T) *pod {
	t.Helper()
	p := &pod{running: r, hashes: map[string]string{}}
	web, websecure, private := httptest.NewServer(p), httptest.NewTLSServer(p), httptest.NewServer(p)
	for _, server := range []*httptest.Server{web, websecure, private} {
		t.Cleanup(server.Close)
	}
	r.pods++
	number := strconv.Itoa(r.pods)
	p.slice(t, "traefik-"+number, "traefik", map[string]net.Addr{"web": web.Listener.Addr(), "websecure": websecure.Listener.Addr()})
	p.slice(t, "traefik-private-"+number, "traefik-private", map[string]net.Addr{"http2": private.Listener.Addr()})
	return p
}

func (p *pod) slice(t *testing.T, name, service string, ports map[string]net.Addr) {
	t.Helper()
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ingress", Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}}},
	}
	for name, address := range ports {
		number := int32(address.(*net.TCPAddr).Port)
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &name, Port: &number})
	}
	_, err := p.running.kube.DiscoveryV1().EndpointSlices("ingress").Create(t.Context(), slice, metav1.CreateOptions{})
	require.NoError(t, err)
	p.slices = append(p.slices, name)
}

func (p *pod) remove(t *testing.T) {
	t.Helper()
	for _, name := range p.slices {
		require.NoError(t, p.running.kube.DiscoveryV1().EndpointSlices("ingress").Delete(t.Context(), name, metav1.DeleteOptions{}))
	}
}

// load reads the Ingresses of Traefik's class, as Traefik does.
func (p *pod) load(t *testing.T) {
	t.Helper()
	all, err := p.running.client.NetworkingV1alpha1().Ingresses("").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hashes = map[string]string{}
	for _, ing := range all.Items {
		if ing.Annotations[networking.IngressClassAnnotationKey] != traefikClass {
			continue
		}
		p.spec = ing.Spec.DeepCopy()
		for _, rule := range ing.Spec.Rules {
			for _, host := range rule.Hosts {
				if hash := rule.HTTP.Paths[0].AppendHeaders[header.HashKey]; hash != "" {
					p.hashes[host] = hash
				}
			}
		}
	}
}

// loaded tells whether the routes that the pod has loaded lead to a Service.
func (p *pod) loaded(service string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spec.Rules[0].HTTP.Paths[0].Splits[0].ServiceName == service
}

func (p *pod) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hash, ok := p.hashes[request.Host]
	if !ok || request.Header.Get(header.HashKey) != header.HashValueOverride || request.Header.Get(header.ProbeKey) != header.ProbeValue {
		http.NotFound(w, request)
		return
	}
	w.Header().Set(header.HashKey, hash)
}

// owner is a reference to what Knative created an Ingress for, and that object.
func owner(kind, name, class string) (*metav1.OwnerReference, *metav1.PartialObjectMetadata) {
	object := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "serving.knative.dev/v1", Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID("uid-of-the-owner")},
	}
	if kind == "DomainMapping" {
		object.APIVersion = "serving.knative.dev/v1beta1"
	}
	if class != "" {
		object.Annotations = map[string]string{networking.IngressClassAnnotationAltKey: class}
	}
	ref := metav1.NewControllerRef(object, object.GroupVersionKind())
	return ref, object
}
