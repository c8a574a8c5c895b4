package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// closedPort is a port that no NetworkPolicy of a package mentions. A container that
// the test adds to the package's pods listens on it.
const closedPort = 28080

// networkPolicy are the values for the NetworkPolicies that production gives a
// package, or nil.
func networkPolicy(t *testing.T, name string) map[string]any {
	t.Helper()
	policy, _, err := unstructured.NestedMap(environmentValues(t, "prod"), "packages", name, "values", "networkPolicy")
	require.NoError(t, err)
	return policy
}

// withNetworkPolicies are the development environment's values of a package, with
// production's NetworkPolicies: the package's work shows that these allow what it needs.
// They are nil for a package that the development environment gives no values.
func withNetworkPolicies(t *testing.T, name string) map[string]any {
	t.Helper()
	values, _, err := unstructured.NestedMap(environmentValues(t, "dev"), "packages", name, "values")
	require.NoError(t, err)
	if policy := networkPolicy(t, name); policy != nil {
		require.NotNil(t, values, name)
		values["networkPolicy"] = policy
	}
	return values
}

// requireIsolated connects from a pod in a namespace of its own to the pods of a
// package that NetworkPolicies select: to the ports that these allow, and to one that
// they do not, where something listens, too.
func (c *cluster) requireIsolated(t *testing.T, name string) {
	t.Helper()
	if networkPolicy(t, name) == nil {
		return
	}
	ok := t.Run("network policies", func(t *testing.T) { c.connectAcross(t, c.policiesOf(t, name)) })
	require.True(t, ok)
}

func (c *cluster) connectAcross(t *testing.T, policies []networkingv1.NetworkPolicy) {
	t.Helper()
	require.NotEmpty(t, policies)
	stranger := c.namespace(t, "stranger")
	c.apply(t, c.renderApp(t, "dialer", map[string]any{"namespace": stranger}))
	var open, closed []string
	for _, policy := range policies {
		for _, pod := range c.selectedPods(t, policy) {
			c.listenOnClosedPort(t, pod)
			closed = append(closed, address(pod, closedPort))
			for _, port := range openPorts(policy, pod) {
				if c.listens(t, pod, port) {
					open = append(open, address(pod, port))
				}
			}
		}
	}
	require.NotEmpty(t, closed, "pods that the NetworkPolicies select")
	eventually(t, time.Minute, "the NetworkPolicies are enforced", func() (bool, string) {
		answers := c.dial(t, stranger, append(slices.Clone(open), closed...))
		right := len(answers) == len(open)+len(closed)
		for address, answer := range answers {
			right = right && (answer == "open") == slices.Contains(open, address)
		}
		return right, fmt.Sprintf("should be open: %v; closed: %v; are: %v", open, closed, answers)
	})
	t.Logf("from another namespace, %d ports are open and %d closed", len(open), len(closed))
}

// policiesOf are the NetworkPolicies that kapp deployed for an install.
func (c *cluster) policiesOf(t *testing.T, name string) []networkingv1.NetworkPolicy {
	t.Helper()
	list, err := c.typed.NetworkingV1().NetworkPolicies("").List(lasting(t), metav1.ListOptions{LabelSelector: c.appLabel(t, installNamespace, name)})
	require.NoError(t, err)
	return list.Items
}

func (c *cluster) selectedPods(t *testing.T, policy networkingv1.NetworkPolicy) []corev1.Pod {
	t.Helper()
	selector := metav1.FormatLabelSelector(&policy.Spec.PodSelector)
	list, err := c.typed.CoreV1().Pods(policy.Namespace).List(lasting(t), metav1.ListOptions{LabelSelector: selector, FieldSelector: "status.phase=Running"})
	require.NoError(t, err)
	// A pod of the host's network has the node's address, and no policy applies to it.
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return p.Spec.HostNetwork || p.DeletionTimestamp != nil })
}

// openPorts are the TCP ports of a pod that a policy opens for everyone.
func openPorts(policy networkingv1.NetworkPolicy, pod corev1.Pod) []int32 {
	named := map[string]int32{}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			named[port.Name] = port.ContainerPort
		}
	}
	ports := map[int32]bool{}
	for _, rule := range policy.Spec.Ingress {
		for _, port := range rule.Ports {
			if len(rule.From) > 0 || port.Port == nil || (port.Protocol != nil && *port.Protocol != corev1.ProtocolTCP) {
				continue
			}
			number, found := named[port.Port.StrVal]
			if !found {
				number = port.Port.IntVal
			}
			ports[number] = true
		}
	}
	return slices.Sorted(maps.Keys(ports))
}

func address(pod corev1.Pod, port int32) string {
	return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(port)))
}

// listenOnClosedPort adds a container that listens to a running pod, as kubectl debug
// does, and waits until it answers.
func (c *cluster) listenOnClosedPort(t *testing.T, pod corev1.Pod) {
	t.Helper()
	pods := c.typed.CoreV1().Pods(pod.Namespace)
	yes, no, user := true, false, int64(65532)
	pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
		Name:  "listener",
		Image: c.appImage(t, "hello"),
		Env:   []corev1.EnvVar{{Name: "PORT", Value: strconv.Itoa(closedPort)}},
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &user, AllowPrivilegeEscalation: &no,
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}})
	_, err := pods.UpdateEphemeralContainers(lasting(t), pod.Name, &pod, metav1.UpdateOptions{})
	require.NoError(t, err)
	eventually(t, time.Minute, "something listens on the closed port of "+pod.Name, func() (bool, string) {
		return c.listens(t, pod, closedPort), "the API server, which may connect, gets no answer"
	})
}

// listens is true if the API server can connect to a port of a pod: it does so from the
// pod's own node, which no policy stops. What speaks no HTTP answers wrongly, but answers.
func (c *cluster) listens(t *testing.T, pod corev1.Pod, port int32) bool {
	t.Helper()
	err := c.typed.CoreV1().RESTClient().Get().Namespace(pod.Namespace).Resource("pods").Name(fmt.Sprintf("%s:%d", pod.Name, port)).
		SubResource("proxy").Do(lasting(t)).Error()
	return err == nil || !strings.Contains(err.Error(), "connection refused") && !strings.Contains(err.Error(), "timeout")
}

// dial lets the dialer of a namespace connect to addresses, and returns what it reports
// for each: "open", or the error. It is nil while the dialer does not answer.
func (c *cluster) dial(t *testing.T, namespace string, addresses []string) map[string]string {
	t.Helper()
	request := c.typed.CoreV1().RESTClient().Get().Namespace(namespace).Resource("pods").SubResource("proxy")
	pods, err := c.typed.CoreV1().Pods(namespace).List(lasting(t), metav1.ListOptions{LabelSelector: "app=dialer"})
	require.NoError(t, err)
	if len(pods.Items) == 0 {
		return nil
	}
	request = request.Name(pods.Items[0].Name + ":8080")
	for _, address := range addresses {
		request = request.Param("to", address)
	}
	text, err := request.DoRaw(lasting(t))
	if err != nil {
		return nil
	}
	var answers map[string]string
	require.NoError(t, json.Unmarshal(text, &answers), "%s", text)
	return answers
}
