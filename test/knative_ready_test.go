package test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	probedClass  = "strake.ingress.networking.knative.dev"
	traefikClass = "traefik.ingress.networking.knative.dev"
)

var knativeIngressKind = kind("networking.internal.knative.dev", "v1alpha1", "Ingress")

// requireReadyIsRoutable creates several Services at once and updates each of them again
// and again. As soon as one is ready, its URL must answer, and with the newest revision.
func (s *served) requireReadyIsRoutable(services, updates int) {
	s.t.Helper()
	image := s.cluster.appImage(s.t, "hello")
	var wrong collected
	var workers sync.WaitGroup
	for i := range services {
		workers.Go(func() {
			name := fmt.Sprintf("ready-%d", i)
			for update := range updates + 1 {
				if err := s.requestWhenReady(name, image, fmt.Sprintf("update-%d", update), &wrong); err != nil {
					wrong.add("%s: %s", name, err)
					return
				}
			}
		})
	}
	workers.Wait()
	s.t.Logf("%d Services, each created and then updated %d times: %d wrong answers after they were ready", services, updates, wrong.len())
	require.Empty(s.t, wrong.all())
}

// requestWhenReady applies a Service and sends it requests from the moment at which it is
// ready. A watch notices this moment without a delay.
func (s *served) requestWhenReady(name, image, target string, wrong *collected) error {
	ctx := s.t.Context()
	if err := s.cluster.tryApply(ctx, s.greeter(name, image, target)); err != nil {
		return err
	}
	services, err := s.cluster.of(knativeServiceKind, s.namespace)
	if err != nil {
		return err
	}
	applied, err := services.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	timeout := int64(180)
	watch, err := services.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name, TimeoutSeconds: &timeout})
	if err != nil {
		return err
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		service, ok := event.Object.(*unstructured.Unstructured)
		if !ok || !readyAt(service, applied.GetGeneration()) {
			continue
		}
		address, _, _ := unstructured.NestedString(service.Object, "status", "url")
		parsed, err := url.Parse(address)
		if err != nil {
			return err
		}
		for request := range 5 {
			status, answer, err := ask(ctx, s.entrance, parsed.Host)
			if err != nil || status != http.StatusOK || !strings.HasPrefix(answer, "Hello "+target+" from ") {
				wrong.add("%s at %s, request %d: %d %s %v", name, target, request, status, strings.TrimSpace(answer), err)
			}
		}
		return nil
	}
	return fmt.Errorf("it is not ready with %s after %d s", target, timeout)
}

// readyAt tells whether a Service is ready with a generation, or a newer one.
func readyAt(service *unstructured.Unstructured, generation int64) bool {
	observed, _, _ := unstructured.NestedInt64(service.Object, "status", "observedGeneration")
	return observed >= generation && observed == service.GetGeneration() && condition(service, "Ready") == "True"
}

// greeter is a Service that always has one pod: a start from zero is another subject. The
// older revision keeps its pod for a while after an update, so that it could still answer.
func (s *served) greeter(name, image, target string) string {
	return fmt.Sprintf(`apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: %s, namespace: %s}
spec:
  template:
    metadata:
      annotations: {autoscaling.knative.dev/min-scale: "1", autoscaling.knative.dev/max-scale: "1"}
    %s`, name, s.namespace, greeterSpec(image, target))
}

// requireClassChanges changes the ingress class of the install to Traefik's own, and back.
// Children must exist only with the class of the prober. It reports the requests that fail
// meanwhile and does not require that there are none: Traefik has answered 404 for some
// seconds in each run so far.
func (s *served) requireClassChanges() {
	s.t.Helper()
	stop, failed := s.requestsGoOn()
	defer stop()
	s.setIngressClass(traefikClass)
	s.waitClass(traefikClass, false)
	s.setIngressClass(probedClass)
	s.waitClass(probedClass, true)
	time.Sleep(2 * time.Second) // Requests after the change count, too.
	stop()
	s.t.Logf("%d requests failed while the ingress class changed: %v", failed.len(), failed.all())
}

// requestsGoOn sends requests to the Service hello, one after the other, until it is
// stopped.
func (s *served) requestsGoOn() (stop func(), failed *collected) {
	s.t.Helper()
	host := s.host()
	failed = &collected{}
	var ended atomic.Bool
	var worker sync.WaitGroup
	worker.Go(func() {
		for !ended.Load() {
			if status, answer, err := ask(s.t.Context(), s.entrance, host); err != nil || status != http.StatusOK {
				failed.add("%s: %d %s %v", time.Now().Format(time.TimeOnly), status, strings.TrimSpace(answer), err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() { ended.Store(true); worker.Wait() }, failed
}

// setIngressClass changes the values of the install, and waits until it is deployed.
func (s *served) setIngressClass(class string) {
	s.t.Helper()
	install := s.cluster.get(s.t, packageInstallKind, installNamespace, "knative-serving")
	require.NotNil(s.t, install)
	sources, _, _ := unstructured.NestedSlice(install.Object, "spec", "values")
	require.Len(s.t, sources, 1, "the values of the install")
	name, _, _ := unstructured.NestedString(sources[0].(map[string]any), "secretRef", "name")
	secret, err := s.cluster.typed.CoreV1().Secrets(installNamespace).Get(s.t.Context(), name, metav1.GetOptions{})
	require.NoError(s.t, err)
	require.Len(s.t, secret.Data, 1)
	for key, text := range secret.Data {
		values := map[string]any{}
		require.NoError(s.t, yaml.Unmarshal(text, &values))
		require.NoError(s.t, unstructured.SetNestedField(values, class, "network", "ingressClass"))
		changed, err := yaml.Marshal(values)
		require.NoError(s.t, err)
		s.cluster.patch(s.t, kind("", "v1", "Secret"), installNamespace, name,
			fmt.Sprintf(`{"data":{%q:%q}}`, key, base64.StdEncoding.EncodeToString(changed)))
	}
	s.cluster.kick(s.t, installNamespace, "knative-serving")
}

// waitClass waits until the Ingress of the Service hello has a class, and a child or none.
func (s *served) waitClass(class string, child bool) {
	s.t.Helper()
	eventually(s.t, 2*time.Minute, "the Ingress has the class "+class, func() (bool, string) {
		ingresses, err := s.cluster.of(knativeIngressKind, s.namespace)
		require.NoError(s.t, err)
		all, err := ingresses.List(s.t.Context(), metav1.ListOptions{})
		require.NoError(s.t, err)
		found, children, classes := false, 0, []string{}
		for _, ingress := range all.Items {
			has := ingress.GetAnnotations()["networking.knative.dev/ingress.class"]
			classes = append(classes, ingress.GetName()+" "+has)
			owner := metav1.GetControllerOf(&ingress)
			if owner != nil && owner.Kind == "Ingress" && owner.Name == "hello" {
				children++
			}
			found = found || ingress.GetName() == "hello" && has == class
		}
		return found && (children == 1) == child, strings.Join(classes, ", ")
	})
}

// collected are lines of several goroutines.
type collected struct {
	mu    sync.Mutex
	lines []string
}

func (c *collected) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

func (c *collected) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lines
}

func (c *collected) len() int { return len(c.all()) }
