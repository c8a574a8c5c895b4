package test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// traefikNamespace is where the package puts itself.
const traefikNamespace = "traefik"

// traefikRoutes sends requests through Traefik's Service to two programs: by an
// Ingress, by an IngressRoute of Traefik's own, and by a route of the Gateway
// API that gives one program in ten requests to the other.
func traefikRoutes(t *testing.T, c *cluster) {
	namespace := c.namespace(t, "routes")
	c.apply(t, c.renderApp(t, "hello", map[string]any{"namespace": namespace, "name": "old", "target": "old"}))
	c.apply(t, c.renderApp(t, "hello", map[string]any{"namespace": namespace, "name": "new", "target": "new"}))
	c.apply(t, routes(namespace))
	web, websecure := c.entrance(t, "web"), c.entrance(t, "websecure")

	for host, by := range map[string]string{
		"ingress." + namespace + ".test": "an Ingress", "gateway." + namespace + ".test": "a Gateway",
		"traefik." + namespace + ".test": "an IngressRoute",
	} {
		requireAnswer(t, "http://"+web, host, by)
	}
	requireAnswer(t, "https://"+websecure, "ingress."+namespace+".test", "an Ingress, encrypted")
	requireSplit(t, "http://"+web, "gateway."+namespace+".test")
	c.requireAccepted(t, namespace)

	metrics, err := c.typed.CoreV1().Services(traefikNamespace).ProxyGet("http", "traefik-metrics", "metrics", "/metrics", nil).DoRaw(t.Context())
	require.NoError(t, err)
	require.Contains(t, string(metrics), `traefik_entrypoint_requests_total{code="200",entrypoint="web"`)
}

// entrance is how this machine reaches an entry point of Traefik's Service: the
// address of a node and the port that it gave to the Service.
func (c *cluster) entrance(t *testing.T, port string) string {
	t.Helper()
	hostAddress(t, c) // which skips the test where nodes are out of reach
	service, err := c.typed.CoreV1().Services(traefikNamespace).Get(lasting(t), "traefik", metav1.GetOptions{})
	require.NoError(t, err)
	nodes, err := c.typed.CoreV1().Nodes().List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	for _, p := range service.Spec.Ports {
		if p.Name == port {
			return net.JoinHostPort(nodes.Items[0].Status.Addresses[0].Address, strconv.Itoa(int(p.NodePort)))
		}
	}
	t.Fatalf("Service traefik has no port %s: %v", port, service.Spec.Ports)
	return ""
}

func requireAnswer(t *testing.T, url, host, by string) {
	t.Helper()
	eventually(t, 2*time.Minute, by+" leads to the program", func() (bool, string) {
		status, answer, err := ask(t.Context(), url, host)
		if err != nil {
			return false, err.Error()
		}
		return status == http.StatusOK && strings.HasPrefix(answer, "Hello "), fmt.Sprint(status, " ", answer)
	})
}

// requireSplit counts a hundred answers: ten of them should be the new
// program's. It begins when Traefik has heard of the pods of both, since the
// two come up one after the other.
func requireSplit(t *testing.T, url, host string) {
	t.Helper()
	eventually(t, time.Minute, "both programs answer", func() (bool, string) {
		counts := greeted(t, url, host, 20)
		return counts["old"]+counts["new"] == 20 && counts["new"] > 0, fmt.Sprint(counts)
	})
	counts := greeted(t, url, host, 100)
	require.Equal(t, 100, counts["old"]+counts["new"], "%v", counts)
	require.InDelta(t, 10, counts["new"], 5, "%v", counts)
}

// greeted counts the programs that answer so many requests, by the name that
// they greet.
func greeted(t *testing.T, url, host string, requests int) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for range requests {
		_, answer, err := ask(t.Context(), url, host)
		require.NoError(t, err)
		name, _, _ := strings.Cut(strings.TrimPrefix(answer, "Hello "), " ")
		counts[name]++
	}
	return counts
}

// ask sends one request for a host to an address that is not the host's.
func ask(ctx context.Context, url, host string) (status int, answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	request.Host = host
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: host}, //nolint:gosec // Traefik makes its default certificate itself
	}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// requireAccepted sees that Traefik may say, and said, what became of the
// objects of the Gateway API.
func (c *cluster) requireAccepted(t *testing.T, namespace string) {
	t.Helper()
	eventually(t, time.Minute, "the Gateway is programmed and its route accepted", func() (bool, string) {
		gateway := c.get(t, kind("gateway.networking.k8s.io", "v1", "Gateway"), namespace, "public")
		route := c.get(t, kind("gateway.networking.k8s.io", "v1", "HTTPRoute"), namespace, "hello")
		parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
		accepted := len(parents) == 1 && strings.Contains(fmt.Sprint(parents), "Accepted")
		return condition(gateway, "Programmed") == "True" && accepted, fmt.Sprint(gateway.Object["status"], route.Object["status"])
	})
}

func routes(namespace string) string {
	return strings.ReplaceAll(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hello, namespace: NAMESPACE}
spec:
  ingressClassName: traefik
  rules:
  - host: ingress.NAMESPACE.test
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: old, port: {name: http}}}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: hello, namespace: NAMESPACE}
spec:
  entryPoints: [web]
  routes:
  - kind: Rule
    match: Host("traefik.NAMESPACE.test")
    services:
    - {name: old, port: http}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: NAMESPACE}
spec:
  gatewayClassName: traefik
  listeners:
  - {name: web, port: 8000, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: hello, namespace: NAMESPACE}
spec:
  parentRefs:
  - {name: public}
  hostnames: [gateway.NAMESPACE.test]
  rules:
  - backendRefs:
    - {name: old, port: 80, weight: 90}
    - {name: new, port: 80, weight: 10}`, "NAMESPACE", namespace)
}
