package devcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/strake-dev/strake/tools/internal/retry"
)

func (s *session) client() (*kubernetes.Clientset, error) {
	config, err := RESTConfig(s.result.Kubeconfig, s.result.Context)
	if err != nil {
		return nil, err
	}
	config.Timeout = 10 * time.Second // of one request: waiting is ours
	return kubernetes.NewForConfig(config)
}

const (
	// readyPatience is how long a new cluster may take until its node is ready.
	readyPatience = 5 * time.Minute
	// readyInterval is the pause between two questions.
	readyInterval = 500 * time.Millisecond
)

// waitReady waits for a new cluster; one that was there has been waited for.
func (s *session) waitReady(ctx context.Context) error {
	return s.waitFor(ctx, readyPatience)
}

// waitFor returns when every node is ready and CoreDNS answers, or tells
// what is not after the patience has ended.
func (s *session) waitFor(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("after %s", patience))
	defer cancel()
	client, err := s.client()
	if err != nil {
		return err
	}
	if s.result.Created {
		if err := oneDNS(ctx, client); err != nil {
			return err
		}
	}
	if err := retry.Until(ctx, readyInterval, nil, func(ctx context.Context) error { return nodesReady(ctx, client) }); err != nil {
		return err
	}
	return retry.Until(ctx, readyInterval, nil, func(ctx context.Context) error { return dnsReady(ctx, client) })
}

// oneDNS leaves one of CoreDNS's two pods: a second on the same node serves
// nobody, and small machines need its CPU request for what is installed.
func oneDNS(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.AppsV1().Deployments(metav1.NamespaceSystem).Patch(ctx, "coredns",
		types.MergePatchType, []byte(`{"spec":{"replicas":1}}`), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("scaling CoreDNS to the one node: %w", err)
	}
	return nil
}

func nodesReady(ctx context.Context, client kubernetes.Interface) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the nodes: %w", err)
	}
	if len(nodes.Items) == 0 {
		return errors.New("the cluster has no node")
	}
	for _, n := range nodes.Items {
		if reason := nodeTrouble(n); reason != "" {
			return fmt.Errorf("the node %s is not ready: %s", n.Name, reason)
		}
	}
	return nil
}

// nodeTrouble is why a node is not ready, or empty.
func nodeTrouble(n corev1.Node) string {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return ""
		}
		if c.Type == corev1.NodeReady {
			return c.Message
		}
	}
	return "it has not reported yet"
}

func dnsReady(ctx context.Context, client kubernetes.Interface) error {
	d, err := client.AppsV1().Deployments(metav1.NamespaceSystem).Get(ctx, "coredns", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("asking for CoreDNS: %w", err)
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentAvailable && c.Status == corev1.ConditionTrue && d.Status.ReadyReplicas > 0 {
			return nil
		}
	}
	return fmt.Errorf("CoreDNS is not ready: %d of %d pods", d.Status.ReadyReplicas, d.Status.Replicas)
}

// useExisting takes the cluster that the options name, as it is.
func (s *session) useExisting(ctx context.Context) error {
	if s.options.Registry == "" {
		return fmt.Errorf("the cluster of context %q requires a registry that it can reach: pass one with --registry HOST:PORT", s.options.Context)
	}
	s.result.Context = s.options.Context
	s.result.RegistryPush, s.result.RegistryCluster = s.options.Registry, s.options.Registry
	client, err := s.client()
	if err != nil {
		return err
	}
	return nodesReady(ctx, client)
}
