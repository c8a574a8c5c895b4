package test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// platformNamespace is where the environments have the platform's installs.
const platformNamespace = "packages"

// setting is an environment as the platform gets it: the environment's values
// with those of a file over them.
type setting struct {
	environment string
	over        []string // arguments that lay values over
}

// TestEnvironments brings the development environment up by the platform package,
// moves it to production's values on the same node and back, and removes it. What
// `strake env render` prints is what the cluster has, each time; no install fails
// and no pod is replaced for which nothing changed. It runs where all packages of the
// platform are picked, as for `make integration-all`.
func TestEnvironments(t *testing.T) {
	c := onCluster(t)
	const platform = platformName
	for _, name := range append(installedBy(t, platform), platform) {
		newestPicked(t, name) // the images of all of them take an hour to compile
	}
	c.startEmpty(t)
	require.NoError(t, c.ensureNamespace(t.Context(), platformNamespace))
	t.Cleanup(func() { require.NoError(t, c.removeNamespace(lasting(t), platformNamespace)) })
	before := c.snapshot(t)
	t.Cleanup(func() { c.removePlatform(t, platform) })

	dev := setting{"dev", []string{"--values-file", valuesFile(t, lastingScheduler())}}
	prod := setting{"prod", []string{"--values-file", oneNode(t)}}
	c.become(t, platform, dev)
	c.requireEnvironment(t, dev)
	c.logFootprint(t)
	for _, to := range []setting{prod, dev} {
		ok := t.Run("to "+to.environment, func(t *testing.T) {
			c.requireCalm(t, func() { c.become(t, platform, to) })
			c.requireEnvironment(t, to)
		})
		require.True(t, ok)
	}
	t.Run("an overlay that fails leaves the running version", func(t *testing.T) { c.overlayFails(t, platform, dev) })

	c.removePlatform(t, platform)
	c.requireNothingLeft(t, before)
}

func (s setting) values(t *testing.T) string {
	t.Helper()
	text, err := strake(t.Context(), "", append([]string{"env", "values", s.environment}, s.over...)...)
	require.NoError(t, err)
	return text
}

// become gives the platform an environment's values and waits until all has
// reconciled.
func (c *cluster) become(t *testing.T, platform string, s setting) {
	t.Helper()
	begin := time.Now()
	require.NoError(t, c.tryBecome(t, platform, s.values(t)))
	t.Logf("%s: %s", s.environment, time.Since(begin).Round(time.Second))
}

func (c *cluster) tryBecome(t *testing.T, platform, values string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "platform.yml")
	require.NoError(t, os.WriteFile(file, []byte(values), 0o600))
	ctx, cancel := context.WithTimeout(lasting(t), upTimeout)
	defer cancel()
	_, err := up(ctx, "--package", platform, "--namespace", platformNamespace, "--values", platform+"="+file)
	return err
}

func (c *cluster) removePlatform(t *testing.T, platform string) {
	t.Helper()
	if c.get(t, packageInstallKind, platformNamespace, platform) == nil {
		return
	}
	ctx, cancel := context.WithTimeout(lasting(t), 15*time.Minute)
	defer cancel()
	lost, err := strake(ctx, "", "uninstall", "--kubeconfig", shared.kubeconfig, "--namespace", platformNamespace, "--delete-objects", "--yes", platform)
	require.NoError(t, err, "%s", lost)
}

// requireEnvironment compares the cluster with what `strake env render` prints.
func (c *cluster) requireEnvironment(t *testing.T, s setting) {
	t.Helper()
	repository := c.registry.RegistryCluster + "/strake/platform"
	text, err := strake(t.Context(), "", append([]string{"env", "render", s.environment, "--repository", repository}, s.over...)...)
	require.NoError(t, err)
	packages := readRendered(t, text)
	require.Greater(t, len(packages), 2)
	objects := 0
	differing := map[string][]string{}
	for name, p := range packages {
		require.NotEmpty(t, p.objects, name)
		objects += len(p.objects)
		if found := c.differing(t, platformNamespace, p); len(found) > 0 {
			differing[name] = found
		}
	}
	require.Empty(t, differing, "on the cluster, beside what strake env render prints")
	t.Logf("%s: %d objects of %d packages are as they were rendered", s.environment, objects, len(packages))
}

// requireCalm lets something change and watches: no install may fail on the way,
// no container may end by itself, and pods of a workload whose template stays
// may only become more or fewer.
func (c *cluster) requireCalm(t *testing.T, change func()) {
	t.Helper()
	before := c.podsByTemplate(t)
	failures := c.watchFailures(t, change)
	require.Empty(t, failures, "installs that failed on the way")
	after := c.podsByTemplate(t)
	for template, pods := range after {
		stayed := 0
		for pod, restarts := range pods {
			require.Equal(t, before[template][pod], restarts, "containers of %s were restarted: %s", template, c.endings(t, pod))
			if _, was := before[template][pod]; was {
				stayed++
			}
		}
		if was := len(before[template]); was > 0 {
			require.GreaterOrEqual(t, stayed, min(was, len(pods)), "pods of %s were replaced though nothing of them changed", template)
		}
	}
}

// podsByTemplate are the running pods, each with how often its containers were
// restarted, by the workload and the hash of its template.
func (c *cluster) podsByTemplate(t *testing.T) map[string]map[string]int32 {
	t.Helper()
	list, err := c.typed.CoreV1().Pods("").List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	found := map[string]map[string]int32{}
	for _, pod := range list.Items {
		owner := metav1.GetControllerOf(&pod)
		if owner == nil || pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		template := fmt.Sprintf("%s %s/%s", owner.Kind, pod.Namespace, owner.Name) // a ReplicaSet has the hash in its name
		if hash := pod.Labels["controller-revision-hash"]; hash != "" {
			template += " " + hash
		}
		if found[template] == nil {
			found[template] = map[string]int32{}
		}
		restarts := int32(0)
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			restarts += status.RestartCount
		}
		found[template][string(pod.UID)] = restarts
	}
	return found
}

// endings tells why containers of the pod with this UID ended, with what they said last.
func (c *cluster) endings(t *testing.T, uid string) string {
	t.Helper()
	pods, err := c.typed.CoreV1().Pods("").List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	var said strings.Builder
	for _, pod := range pods.Items {
		if string(pod.UID) != uid {
			continue
		}
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if status.RestartCount == 0 {
				continue
			}
			tail := int64(30)
			logs, err := c.typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name,
				&corev1.PodLogOptions{Container: status.Name, Previous: true, TailLines: &tail}).DoRaw(lasting(t))
			fmt.Fprintf(&said, "%s of pod %s: %v\n%s(%v)\n", status.Name, pod.Name, status.LastTerminationState.Terminated, logs, err)
		}
		events, err := c.typed.CoreV1().Events(pod.Namespace).List(lasting(t), metav1.ListOptions{FieldSelector: "involvedObject.uid=" + uid})
		require.NoError(t, err)
		for _, event := range events.Items {
			fmt.Fprintf(&said, "event %s: %s\n", event.Reason, event.Message)
		}
	}
	return said.String()
}

// watchFailures are the failures that PackageInstalls and Apps told of while
// something changed.
func (c *cluster) watchFailures(t *testing.T, change func()) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(lasting(t))
	result := make(chan []string, 1)
	go func() {
		var failures []string
		for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
			failures = append(failures, c.failedNow(ctx)...)
		}
		slices.Sort(failures)
		result <- slices.Compact(failures)
	}()
	change()
	cancel()
	return <-result
}

func (c *cluster) failedNow(ctx context.Context) []string {
	var failures []string
	for _, kind := range []string{"packageinstalls", "apps"} {
		gvr := packageInstallKind.GroupVersion().WithResource(kind)
		if kind == "apps" {
			gvr = appKind.GroupVersion().WithResource(kind)
		}
		list, err := c.dynamic.Resource(gvr).Namespace(platformNamespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			continue // the test has ended, or the API server is busy
		}
		for i := range list.Items {
			if condition(&list.Items[i], "ReconcileFailed") == "True" {
				_, say := reconciled(&list.Items[i])
				failures = append(failures, kind+" "+list.Items[i].GetName()+": "+say)
			}
		}
	}
	return failures
}

// overlayFails gives one package an overlay that matches nothing: the install says
// so, and what ran runs on.
func (c *cluster) overlayFails(t *testing.T, platform string, s setting) {
	const nothing = "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.subset({\"kind\": \"Submarine\"})\n---\nmetadata: {}\n"
	over := lastingScheduler()
	require.NoError(t, unstructured.SetNestedField(over, nothing, "packages", "keda", "overlays", "9-nothing.yml"))
	before := c.ownedIn(t, platformNamespace, "keda")
	require.NotEmpty(t, before)
	err := c.tryBecome(t, platform, setting{s.environment, []string{"--values-file", valuesFile(t, over)}}.values(t))
	require.ErrorContains(t, err, "keda")
	failed := c.get(t, packageInstallKind, platformNamespace, "keda")
	failure, _, _ := unstructured.NestedString(failed.Object, "status", "usefulErrorMessage")
	require.Contains(t, failure, "Expected number of matched nodes to be 1, but was 0")
	require.Equal(t, before, c.ownedIn(t, platformNamespace, "keda"))
	c.become(t, platform, s)
	require.Equal(t, before, c.ownedIn(t, platformNamespace, "keda"))
}
