package test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// daprWorks lets three programs with sidecars work: the caller, the answerer,
// which serves nobody but the caller, and the worker, which runs workflows.
func daprWorks(t *testing.T, c *cluster) {
	c.requireRootKept(t)
	namespace := c.namespace(t, "dapr")
	c.applyDaprObjects(t, namespace)
	c.runDaprPrograms(t, namespace)

	t.Run("calls with mutual TLS", func(t *testing.T) { c.daprCalls(t, namespace) })
	t.Run("state in a store", func(t *testing.T) { c.daprKeepsState(t, namespace) })
	t.Run("messages by a broker", func(t *testing.T) { c.daprSendsMessages(t, namespace) })
	t.Run("resiliency", func(t *testing.T) { c.daprRetries(t, namespace) })
	t.Run("workflows", func(t *testing.T) { c.daprResumesWorkflow(t, namespace) })
}

// roots remembers the root of trust of each Secret that a test has seen: it
// must outlive reconciles and the move to the next version.
var roots = map[types.UID]string{}

// requireRootKept reconciles, since kapp would empty the Secret and Sentry
// would fill it anew, and compares with what earlier tests saw.
func (c *cluster) requireRootKept(t *testing.T) {
	t.Helper()
	before := c.trustBundle(t)
	c.kick(t, installNamespace, "dapr")
	after := c.trustBundle(t)
	require.Equal(t, before, after, "a reconcile changed the root of trust")
	secret := c.get(t, secretKind, "dapr-system", "dapr-trust-bundle")
	if root, known := roots[secret.GetUID()]; known {
		require.Equal(t, root, after, "the move to this version changed the root of trust")
	}
	roots[secret.GetUID()] = after
}

// trustBundle is the root certificate, which Secret and ConfigMap agree on,
// and the issuer's.
func (c *cluster) trustBundle(t *testing.T) string {
	t.Helper()
	secret := c.get(t, secretKind, "dapr-system", "dapr-trust-bundle")
	data, _, _ := unstructured.NestedStringMap(secret.Object, "data")
	for _, key := range []string{"ca.crt", "issuer.crt", "issuer.key"} {
		require.NotEmpty(t, data[key], "Sentry has not filled %s", key)
	}
	root, err := base64.StdEncoding.DecodeString(data["ca.crt"])
	require.NoError(t, err)
	require.Equal(t, c.rootOfTrust(t), string(root))
	return data["ca.crt"] + " " + data["issuer.crt"]
}

func (c *cluster) rootOfTrust(t *testing.T) string {
	t.Helper()
	bundle := c.get(t, configMapKind, "dapr-system", "dapr-trust-bundle")
	root, _, _ := unstructured.NestedString(bundle.Object, "data", "ca.crt")
	return root
}

// daprObjects are a store, a broker, who may call the answerer, and how often
// a call to it is tried. The Subscription is of the older of two versions, so
// that the API server asks Dapr's operator to convert it.
const daprObjects = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: store, namespace: NAMESPACE}
spec:
  type: state.etcd
  version: v2
  metadata:
  - {name: endpoints, value: "etcd:2379"}
  - {name: keyPrefixPath, value: dapr}
  - {name: tlsEnable, value: "false"}
  - {name: actorStateStore, value: "true"}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: broker, namespace: NAMESPACE}
spec:
  type: pubsub.jetstream
  version: v1
  metadata:
  - {name: natsURL, value: "nats://nats:4222"}
  - {name: durableName, value: answerer}
---
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: {name: orders, namespace: NAMESPACE}
spec: {pubsubname: broker, topic: orders, route: /messages}
scopes: [answerer]
---
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: guarded, namespace: NAMESPACE}
spec:
  accessControl:
    defaultAction: deny
    trustDomain: shop
    policies:
    - {appId: caller, namespace: NAMESPACE, defaultAction: allow, trustDomain: public}
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: patience, namespace: NAMESPACE}
spec:
  policies:
    retries:
      thrice: {policy: constant, duration: 50ms, maxRetries: 3}
  targets:
    apps:
      answerer: {retry: thrice}`

func (c *cluster) applyDaprObjects(t *testing.T, namespace string) {
	t.Helper()
	for _, name := range []string{"etcd", "nats"} {
		c.apply(t, c.renderApp(t, name, map[string]any{"namespace": namespace}))
	}
	for _, name := range []string{"etcd", "nats"} {
		c.waitReady(t, namespace, name)
	}
	c.apply(t, c.renderApp(t, "queue", map[string]any{"namespace": namespace, "stream": "orders"}))
	c.waitReady(t, namespace, "queue")
	c.apply(t, strings.ReplaceAll(daprObjects, "NAMESPACE", namespace))
	converted := c.get(t, kind("dapr.io", "v2alpha1", "Subscription"), namespace, "orders")
	route, _, _ := unstructured.NestedString(converted.Object, "spec", "routes", "default")
	require.Equal(t, "/messages", route, "the operator converts Subscriptions")
}

func (c *cluster) runDaprPrograms(t *testing.T, namespace string) {
	t.Helper()
	c.apply(t, c.renderApp(t, "dapr-app", map[string]any{"namespace": namespace, "name": "caller"}))
	c.apply(t, c.renderApp(t, "dapr-app", map[string]any{"namespace": namespace, "name": "answerer", "configuration": "guarded"}))
	c.apply(t, c.renderApp(t, "dapr-app", map[string]any{"namespace": namespace, "name": "worker", "workflows": true}))
	for _, name := range daprPrograms {
		c.waitReady(t, namespace, name)
		require.Contains(t, c.podOf(t, namespace, name).sidecarImage, c.registry.RegistryCluster+"/", "the locked sidecar, in the cluster's registry")
	}
}

// waitReady waits until a Deployment has the replicas that it asks for.
func (c *cluster) waitReady(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, 3*time.Minute, name+" is ready", func() (bool, string) {
		deployment, err := c.typed.AppsV1().Deployments(namespace).Get(lasting(t), name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		status := deployment.Status
		done := status.ObservedGeneration == deployment.Generation && status.UpdatedReplicas == *deployment.Spec.Replicas &&
			status.ReadyReplicas == status.UpdatedReplicas && status.Replicas == status.UpdatedReplicas
		return done, fmt.Sprintf("%d of %d", status.ReadyReplicas, *deployment.Spec.Replicas)
	})
}

// daprPod is the pod of a program with a sidecar.
type daprPod struct{ name, address, sidecarImage string }

func (c *cluster) podOf(t *testing.T, namespace, app string) daprPod {
	t.Helper()
	pods, err := c.typed.CoreV1().Pods(namespace).List(lasting(t), metav1.ListOptions{LabelSelector: "app=" + app})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	pod := daprPod{name: pods.Items[0].Name, address: pods.Items[0].Status.PodIP}
	for _, container := range append(pods.Items[0].Spec.Containers, pods.Items[0].Spec.InitContainers...) {
		if container.Name == "daprd" {
			pod.sidecarImage = container.Image
		}
	}
	require.NotEmpty(t, pod.sidecarImage, "%s has no sidecar", app)
	return pod
}

// ask sends a request to a program through the API server: to the program
// itself, or below /sidecar/ to its sidecar.
func (c *cluster) ask(t *testing.T, namespace, app, verb, path string, body any) (answer string, err error) {
	t.Helper()
	parsed, err := url.Parse(path)
	require.NoError(t, err)
	request := c.typed.CoreV1().RESTClient().Verb(verb).Namespace(namespace).
		Resource("services").Name(app + ":80").SubResource("proxy").Suffix(parsed.Path)
	for key, values := range parsed.Query() {
		request.Param(key, values[0])
	}
	if body != nil {
		data, err := json.Marshal(body)
		require.NoError(t, err)
		request.SetHeader("Content-Type", "application/json").Body(data)
	}
	data, err := request.DoRaw(lasting(t))
	return string(data), err
}

// mustAsk is ask until there is an answer: sidecars learn of one another, and
// of their components, while they run.
func (c *cluster) mustAsk(t *testing.T, namespace, app, verb, path string, body any) string {
	t.Helper()
	var answer string
	eventually(t, time.Minute, verb+" "+path+" of "+app, func() (bool, string) {
		var err error
		answer, err = c.ask(t, namespace, app, verb, path, body)
		return err == nil, fmt.Sprint(err, " ", answer)
	})
	return answer
}

// daprCalls proves mutual TLS from both sides: what the answerer's sidecar
// shows is its own identity, signed by Sentry, it wants the like of others,
// and it lets in by identity alone.
func (c *cluster) daprCalls(t *testing.T, namespace string) {
	const path = "/sidecar/v1.0/invoke/answerer/method/caller"
	require.Equal(t, "caller", c.mustAsk(t, namespace, "caller", "GET", path, nil))

	answer, err := c.ask(t, namespace, "worker", "GET", path, nil)
	require.Error(t, err, "the worker is not allowed to call the answerer")
	require.Contains(t, answer, "denied access to id: spiffe://public/ns/"+namespace+"/worker", "judged by the identity in its certificate")

	var peer struct{ Chain, Refused string }
	address := c.podOf(t, namespace, "answerer").address + ":50002"
	require.NoError(t, json.Unmarshal([]byte(c.mustAsk(t, namespace, "caller", "GET", "/identity?address="+address, nil)), &peer))
	require.Equal(t, "spiffe://shop/ns/"+namespace+"/answerer", c.verifiedIdentity(t, peer.Chain))
	require.Contains(t, peer.Refused, "certificate required")
}

// verifiedIdentity is the SPIFFE ID of a chain that ends in the root of trust.
func (c *cluster) verifiedIdentity(t *testing.T, chain string) string {
	t.Helper()
	trusted, between := x509.NewCertPool(), x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM([]byte(c.rootOfTrust(t))))
	block, rest := pem.Decode([]byte(chain))
	require.NotNil(t, block, chain)
	between.AppendCertsFromPEM(rest)
	leaf, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: trusted, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	require.NoError(t, err)
	require.Len(t, leaf.URIs, 1)
	return leaf.URIs[0].String()
}

// daprKeepsState saves by the caller's sidecar, reads it back, and finds it in
// etcd itself.
func (c *cluster) daprKeepsState(t *testing.T, namespace string) {
	c.mustAsk(t, namespace, "caller", "POST", "/sidecar/v1.0/state/store", []map[string]any{{"key": "boat", "value": "afloat"}})
	require.Equal(t, `"afloat"`, c.mustAsk(t, namespace, "caller", "GET", "/sidecar/v1.0/state/store/boat", nil))

	encode := base64.StdEncoding.EncodeToString
	query, err := json.Marshal(map[string]any{"key": encode([]byte("dapr")), "range_end": encode([]byte("dapr~")), "keys_only": true})
	require.NoError(t, err)
	data, err := c.typed.CoreV1().RESTClient().Post().Namespace(namespace).Resource("services").Name("etcd:2379").
		SubResource("proxy").Suffix("/v3/kv/range").Body(query).DoRaw(t.Context())
	require.NoError(t, err)
	var found struct{ Kvs []struct{ Key []byte } }
	require.NoError(t, json.Unmarshal(data, &found))
	var keys []string
	for _, kv := range found.Kvs {
		keys = append(keys, string(kv.Key))
	}
	require.Contains(t, strings.Join(keys, "\n")+"\n", "caller||boat\n")
}

// daprSendsMessages publishes by the caller's sidecar; the answerer's delivers.
func (c *cluster) daprSendsMessages(t *testing.T, namespace string) {
	c.mustAsk(t, namespace, "caller", "POST", "/sidecar/v1.0/publish/broker/orders", map[string]any{"order": 7})
	eventually(t, time.Minute, "the message arrives", func() (bool, string) {
		answer, err := c.ask(t, namespace, "answerer", "GET", "/messages", nil)
		return err == nil && strings.Contains(answer, `{"order":7}`), fmt.Sprint(answer, err)
	})
	data, err := c.typed.CoreV1().Services(namespace).ProxyGet("http", "nats", "8222", "/jsz", map[string]string{"streams": "true"}).DoRaw(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `"messages": ?1\b`, string(data), "the broker has the message in its stream")
}

// daprRetries calls what fails twice before it answers, and what fails for
// longer than the policy has patience.
func (c *cluster) daprRetries(t *testing.T, namespace string) {
	const path = "/sidecar/v1.0/invoke/answerer/method/flaky?failures="
	answer, err := c.ask(t, namespace, "caller", "GET", path+"2&key=twice", nil)
	require.NoError(t, err, answer)
	require.Equal(t, "3", answer)
	answer, err = c.ask(t, namespace, "caller", "GET", path+"9&key=always", nil)
	require.Error(t, err)
	require.Equal(t, "4", answer, "one attempt and three retries")
}

// daprResumesWorkflow kills the worker in the midst of a workflow. What the
// first pod did is not done again, and another pod does the rest.
func (c *cluster) daprResumesWorkflow(t *testing.T, namespace string) {
	const workflows = "/sidecar/v1.0/workflows/dapr/"
	instance := fmt.Sprintf("relay-%d", time.Now().UnixNano())
	c.mustAsk(t, namespace, "worker", "POST", workflows+"relay/start?instanceID="+instance, nil)
	first := ""
	eventually(t, time.Minute, "the workflow's first part is done", func() (bool, string) {
		state := c.workflow(t, namespace, workflows+instance)
		first = strings.Trim(state.Properties["dapr.workflow.custom_status"], `"`)
		return first != "", fmt.Sprint(state)
	})
	killed := c.podOf(t, namespace, "worker").name
	require.True(t, strings.HasPrefix(first, killed+" "), first)

	grace := int64(0)
	require.NoError(t, c.typed.CoreV1().Pods(namespace).Delete(t.Context(), killed, metav1.DeleteOptions{GracePeriodSeconds: &grace}))
	eventually(t, 2*time.Minute, "another pod is there", func() (bool, string) {
		pods, err := c.typed.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=worker"})
		return err == nil && len(pods.Items) == 1 && pods.Items[0].Name != killed, fmt.Sprint(err)
	})
	c.waitReady(t, namespace, "worker")
	c.mustAsk(t, namespace, "worker", "POST", workflows+instance+"/raiseEvent/resume", "go on")

	var signatures []string
	eventually(t, 2*time.Minute, "the workflow ends", func() (bool, string) {
		state := c.workflow(t, namespace, workflows+instance)
		_ = json.Unmarshal([]byte(state.Properties["dapr.workflow.output"]), &signatures)
		return state.RuntimeStatus == "COMPLETED", fmt.Sprint(state)
	})
	require.Len(t, signatures, 2)
	require.Equal(t, first, signatures[0], "the first part was not done again")
	require.True(t, strings.HasPrefix(signatures[1], c.podOf(t, namespace, "worker").name+" "), signatures[1])
}

// workflowState is what the sidecar tells of a workflow.
type workflowState struct {
	RuntimeStatus string            `json:"runtimeStatus"`
	Properties    map[string]string `json:"properties"`
}

func (c *cluster) workflow(t *testing.T, namespace, path string) (state workflowState) {
	t.Helper()
	answer, err := c.ask(t, namespace, "worker", "GET", path, nil)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader([]byte(answer)))
		require.NoError(t, decoder.Decode(&state), answer)
	}
	return state
}
