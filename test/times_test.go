package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/yaml"
)

// rounds is how often each way of installing a package is measured; the median counts.
const rounds = 5

// TestInstallTimes measures, for each picked package, the time from the request
// for a PackageInstall until it has reconciled, beside `kubectl apply` and
// `kubectl wait` of the very same objects, in turns and with the images
// present. It runs on request: `make bench-install`.
func TestInstallTimes(t *testing.T) {
	c := onCluster(t)
	if os.Getenv("STRAKE_TEST_TIMES") == "" {
		t.Skip("SKIPPED: times are measured by `make bench-install`")
	}
	kubectl := findKubectl(t, c)
	for _, p := range shared.picked {
		version := p.versions[len(p.versions)-1]
		t.Run(p.name, func(t *testing.T) {
			imagesWithinReach(t, p.name, version)
			c.startEmpty(t)
			installed := c.up(t, p.name+"@"+version) // what it requires, and all images, are there from now on
			c.uninstall(t, []string{p.name})
			objects := c.renderPackage(t, p.name, version)
			install := c.prepareInstall(t, installed[len(installed)-1])
			before := c.snapshot(t)
			var ours, theirs []time.Duration
			for range rounds {
				ours = append(ours, c.timeInstall(t, p.name, install))
				c.deleteInstall(t, installNamespace, p.name)
				c.requireNothingLeft(t, before)
				theirs = append(theirs, kubectl.timeApply(t, objects))
				kubectl.remove(t, objects)
				c.requireNothingLeft(t, before)
			}
			t.Logf("TIMES %s %s: %s by PackageInstall, %s by kubectl, ratio %.2f (medians of %v and %v)", p.name, version,
				median(ours), median(theirs), median(ours).Seconds()/median(theirs).Seconds(), ours, theirs)
		})
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2].Round(10 * time.Millisecond)
}

// prepareInstall makes what an install needs beside itself, with the values
// that `strake up` gives, for as long as the test lasts, and answers with the
// PackageInstall.
func (c *cluster) prepareInstall(t *testing.T, i installedAs) string {
	t.Helper()
	values, err := strake(t.Context(), "", "env", "values", "dev", i.Name)
	require.NoError(t, err)
	secret, install, _ := strings.Cut(packageInstall(installNamespace, i.Name, i.Package, i.Version, values), "\n---\n")
	c.apply(t, installer(installNamespace)+"\n---\n"+secret)
	t.Cleanup(func() {
		c.withdraw(t, installNamespace, i.Name)
		c.delete(t, serviceAccountKind, installNamespace, "installer")
		c.delete(t, secretKind, installNamespace, i.Name+"-values")
	})
	return install
}

// timeInstall asks for an install and logs where its time went. It watches as
// `kubectl wait` does: asking again and again would slow what it measures.
func (c *cluster) timeInstall(t *testing.T, name, install string) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	client, err := c.of(packageInstallKind, installNamespace)
	require.NoError(t, err)
	changes, err := client.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	require.NoError(t, err)
	begin := time.Now()
	c.apply(t, install)
	last := "nothing was told of it"
	_, err = watchtools.UntilWithoutRetry(ctx, changes, func(event watch.Event) (bool, error) {
		object, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			return false, fmt.Errorf("%s: %v", event.Type, event.Object)
		}
		var done bool
		if done, last = reconciled(object); condition(object, "ReconcileFailed") == "True" {
			return false, errors.New("it failed")
		}
		return done, nil
	})
	took := time.Since(begin)
	require.NoError(t, err, last)
	app := c.get(t, appKind, installNamespace, name)
	at := func(fields ...string) time.Time {
		text, _, _ := unstructured.NestedString(app.Object, append([]string{"status"}, fields...)...)
		when, _ := time.Parse(time.RFC3339, text)
		return when
	}
	stdout, _, _ := unstructured.NestedString(app.Object, "status", "deploy", "stdout")
	t.Logf("what kapp did:\n%s", waits(stdout))
	t.Logf("%s: %s; of these fetch %s, ytt and kbld %s, kapp %s", name, took.Round(10*time.Millisecond), at("fetch", "updatedAt").Sub(at("fetch", "startedAt")),
		at("template", "updatedAt").Sub(at("fetch", "updatedAt")), at("deploy", "updatedAt").Sub(at("deploy", "startedAt")))
	return took
}

// waits are the lines of kapp's log that tell when it applied and waited.
func waits(log string) string {
	var lines []string
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, "---- ") || strings.Contains(line, "ok: ") || strings.Contains(line, "ongoing: ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// renderPackage are the objects that kapp gets, without kapp's own Config.
func (c *cluster) renderPackage(t *testing.T, name, version string) []*unstructured.Unstructured {
	t.Helper()
	repository := c.registry.RegistryCluster + "/strake/platform"
	values, err := strake(t.Context(), "", "env", "values", "dev", name)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yml")
	require.NoError(t, os.WriteFile(file, []byte(values), 0o600))
	text, err := strake(t.Context(), "", "render", name+"@"+version, "--repository", repository, "--values-file", file)
	require.NoError(t, err)
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(strings.TrimPrefix(text, "---\n"), "\n---\n") {
		object := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(document), &object.Object))
		if object.GroupVersionKind().Group != "kapp.k14s.io" {
			objects = append(objects, object)
		}
	}
	return objects
}

// kubectl is the command line that runs it on the suite's cluster.
type kubectl []string

// findKubectl takes kubectl from PATH, or the node's own.
func findKubectl(t *testing.T, c *cluster) kubectl {
	t.Helper()
	if path, err := exec.LookPath("kubectl"); err == nil {
		return kubectl{path, "--kubeconfig", shared.kubeconfig}
	}
	if c.registry.Engine == "" {
		t.Skip("SKIPPED: kubectl is not on PATH; https://kubernetes.io/docs/tasks/tools/")
	}
	return kubectl{c.registry.Engine, "exec", "--interactive", shared.name + "-control-plane", "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"}
}

func (k kubectl) run(t *testing.T, input []byte, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(lasting(t), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, k[0], append(k[1:], args...)...)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "kubectl %s: %s", strings.Join(args, " "), out)
}

// timeApply does what a careful person does: namespaces and CRDs first, then
// the rest, then it waits for all that can be waited for, the CA of webhooks
// included: without it the API server calls none of them. Who writes it writes
// it into all webhooks of a configuration at once.
func (k kubectl) timeApply(t *testing.T, objects []*unstructured.Unstructured) time.Duration {
	t.Helper()
	isFirst := func(o *unstructured.Unstructured) bool { return isKind(o, "Namespace", "CustomResourceDefinition") }
	first, rest := manifests(t, objects, isFirst), manifests(t, objects, func(o *unstructured.Unstructured) bool { return !isFirst(o) })
	begin := time.Now()
	apply := []string{"apply", "--server-side", "--force-conflicts", "--filename", "-"}
	k.run(t, first, apply...)
	for _, wait := range []struct{ kind, condition string }{
		{"CustomResourceDefinition", "Established"}, {"Deployment", "Available"}, {"APIService", "Available"}, {"Job", "Complete"},
	} {
		if wait.kind == "Deployment" {
			k.run(t, rest, apply...)
		}
		if those := manifests(t, objects, func(o *unstructured.Unstructured) bool { return isKind(o, wait.kind) }); len(those) > 0 {
			k.run(t, those, "wait", "--for=condition="+wait.condition, "--timeout=10m", "--filename", "-")
		}
	}
	if sets := manifests(t, objects, func(o *unstructured.Unstructured) bool { return isKind(o, "StatefulSet", "DaemonSet") }); len(sets) > 0 {
		k.run(t, sets, "rollout", "status", "--timeout=10m", "--filename", "-")
	}
	if webhooks := manifests(t, objects, isWebhooks); len(webhooks) > 0 {
		k.run(t, webhooks, "wait", "--for=jsonpath={.webhooks[0].clientConfig.caBundle}", "--timeout=10m", "--filename", "-")
	}
	took := time.Since(begin)
	t.Logf("kubectl: %s", took.Round(10*time.Millisecond))
	return took
}

// remove deletes the objects: first webhooks, which without a server would refuse
// objects, and programs with their pods, then what they need, then CRDs and namespaces.
// Without its rights, Flux' helm-controller takes the ten minutes that it may to end.
func (k kubectl) remove(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	isFirst := func(o *unstructured.Unstructured) bool {
		return isWebhooks(o) || isKind(o, "Deployment", "DaemonSet", "StatefulSet", "Job")
	}
	isLast := func(o *unstructured.Unstructured) bool { return isKind(o, "Namespace", "CustomResourceDefinition") }
	isBetween := func(o *unstructured.Unstructured) bool { return !isFirst(o) && !isLast(o) }
	for _, pick := range []func(*unstructured.Unstructured) bool{isFirst, isBetween, isLast} {
		if list := manifests(t, objects, pick); len(list) > 0 {
			k.run(t, list, "delete", "--ignore-not-found", "--cascade=foreground", "--timeout=5m", "--filename", "-")
		}
	}
}

func isWebhooks(o *unstructured.Unstructured) bool {
	return isKind(o, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
}

func isKind(o *unstructured.Unstructured, kinds ...string) bool {
	return slices.Contains(kinds, o.GetKind())
}

// manifests are the chosen objects as YAML, or nothing.
func manifests(t *testing.T, objects []*unstructured.Unstructured, choose func(*unstructured.Unstructured) bool) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, o := range objects {
		if !choose(o) {
			continue
		}
		document, err := yaml.Marshal(o.Object)
		require.NoError(t, err)
		fmt.Fprintf(&text, "---\n%s", document)
	}
	return text.Bytes()
}
