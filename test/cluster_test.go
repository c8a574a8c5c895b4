package test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// fieldManager names these tests in managedFields.
const fieldManager = "strake-test"

// cluster reads and writes objects of any kind.
type cluster struct {
	dynamic dynamic.Interface
	typed   kubernetes.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	// registry has the addresses of the cluster's registry.
	registry upCluster
}

func connect(kubeconfig string) (*cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400       // a test that looks at every object asks a lot,
	config.WarningHandler = rest.NoWarnings{} // of kinds that are deprecated, too
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(typed.Discovery()))
	return &cluster{dynamic: dyn, typed: typed, mapper: mapper}, nil
}

// of finds the endpoint of an object's kind; kinds that an install has just
// brought are looked up anew.
func (c *cluster) of(gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		c.mapper.Reset()
		mapping, err = c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	}
	if err != nil {
		return nil, err
	}
	resource := c.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return resource, nil
	}
	return resource.Namespace(namespace), nil
}

// lasting is the test's context for calls that cleanups make, too, when the
// test's own has ended.
func lasting(t *testing.T) context.Context {
	t.Helper()
	return context.WithoutCancel(t.Context())
}

// apply sends YAML documents by server-side apply, in their order.
func (c *cluster) apply(t *testing.T, documents string) {
	t.Helper()
	require.NoError(t, c.tryApply(lasting(t), documents))
}

// tryApply is apply for what the cluster may refuse.
func (c *cluster) tryApply(ctx context.Context, documents string) error {
	for document := range strings.SplitSeq(strings.TrimPrefix(documents, "---\n"), "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			return fmt.Errorf("reading %s: %w", document, err)
		}
		resource, err := c.of(object.GroupVersionKind(), object.GetNamespace())
		if err != nil {
			return fmt.Errorf("applying %s: %w", document, err)
		}
		if _, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager, Force: true}); err != nil {
			return fmt.Errorf("applying %s: %w", document, err)
		}
	}
	return nil
}

// get answers with one object, or nil where there is none.
func (c *cluster) get(t *testing.T, gvk schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	resource, err := c.of(gvk, namespace)
	require.NoError(t, err)
	object, err := resource.Get(lasting(t), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	require.NoError(t, err)
	return object
}

func (c *cluster) patch(t *testing.T, gvk schema.GroupVersionKind, namespace, name, mergePatch string) {
	t.Helper()
	resource, err := c.of(gvk, namespace)
	require.NoError(t, err)
	_, err = resource.Patch(lasting(t), name, types.MergePatchType, []byte(mergePatch), metav1.PatchOptions{FieldManager: fieldManager})
	require.NoError(t, err)
}

func (c *cluster) delete(t *testing.T, gvk schema.GroupVersionKind, namespace, name string) {
	t.Helper()
	resource, err := c.of(gvk, namespace)
	require.NoError(t, err)
	err = resource.Delete(lasting(t), name, metav1.DeleteOptions{})
	require.True(t, err == nil || apierrors.IsNotFound(err), "deleting %s %s: %v", gvk.Kind, name, err)
}

// ensureNamespace makes a namespace, where it is not there yet.
func (c *cluster) ensureNamespace(ctx context.Context, name string) error {
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.typed.CoreV1().Namespaces().Create(ctx, made, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return c.awaitNamespace(ctx, name)
}

// awaitNamespace waits for what the cluster puts into every namespace, a moment
// after it was made. A snapshot taken before that would blame it on the test.
func (c *cluster) awaitNamespace(ctx context.Context, name string) error {
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := c.typed.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			_, err = c.typed.CoreV1().ConfigMaps(name).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		}
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// namespace makes one for the test alone. It is gone when the test is, and
// where the test failed a person sees first what was in it.
func (c *cluster) namespace(t *testing.T, prefix string) string {
	t.Helper()
	return c.namespaceOf(t, metav1.ObjectMeta{GenerateName: prefix + "-"})
}

// namespaceOf is namespace for a test that cannot choose the name.
func (c *cluster) namespaceOf(t *testing.T, metadata metav1.ObjectMeta) string {
	t.Helper()
	made, err := c.typed.CoreV1().Namespaces().Create(lasting(t), &corev1.Namespace{ObjectMeta: metadata}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if t.Failed() {
			c.explain(ctx, made.Name)
		}
		if err := c.removeNamespace(ctx, made.Name); err != nil {
			t.Errorf("removing the test's namespace %s: %v", made.Name, err)
		}
	})
	require.NoError(t, c.awaitNamespace(lasting(t), made.Name), "what the cluster puts into the namespace %s", made.Name)
	return made.Name
}

func (c *cluster) removeNamespace(ctx context.Context, name string) error {
	namespaces := c.typed.CoreV1().Namespaces()
	if err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	for {
		_, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it still exists: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// explain prints pods, events and the ends of logs of a namespace.
func (c *cluster) explain(ctx context.Context, namespace string) {
	out := os.Stderr
	pods, err := c.typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		fmt.Fprintln(out, "listing pods:", err)
		return
	}
	for _, pod := range pods.Items {
		fmt.Fprintf(out, "pod %s/%s: %s %v\n", namespace, pod.Name, pod.Status.Phase, pod.Status.Conditions)
		for _, status := range pod.Status.ContainerStatuses {
			fmt.Fprintf(out, "    %s: %d restarts, now %v, before %v\n", status.Name, status.RestartCount, status.State, status.LastTerminationState)
		}
		for _, container := range pod.Spec.Containers {
			tail := int64(40)
			logs, err := c.typed.CoreV1().Pods(namespace).GetLogs(pod.Name,
				&corev1.PodLogOptions{Container: container.Name, TailLines: &tail}).DoRaw(ctx)
			fmt.Fprintf(out, "--- logs of %s (%v)\n%s\n", container.Name, err, logs)
		}
	}
	events, err := c.typed.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	for _, event := range events.Items {
		fmt.Fprintf(out, "event %s/%s: %s: %s\n", event.InvolvedObject.Kind, event.InvolvedObject.Name, event.Reason, event.Message)
	}
}

// eventually waits for a condition that a cluster reaches by itself; say tells
// what was last seen.
func eventually(t *testing.T, within time.Duration, what string, check func() (ok bool, say string)) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		ok, say := check()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s; last seen: %s", what, within, say)
		}
		time.Sleep(time.Second)
	}
}
