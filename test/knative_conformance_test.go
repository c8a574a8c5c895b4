package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const (
	// suitesRoot is the module that pins the suites and their programs.
	suitesRoot = "test/apps/packages/knative-conformance/0.50.0"
	// suitesNamespace is where the suites work. That of the ingress contract knows no other.
	suitesNamespace = "serving-tests"
	suiteTimeout    = 40 * time.Minute
)

// conformance is one of Knative's conformance suites.
type conformance struct {
	name, folder string
	flags        []string
	// images is the prefix that the names of its programs have in the package
	// knative-conformance.
	images string
}

var suites = []conformance{
	{name: "serving", folder: "knative.dev/serving/test/conformance/api/v1", images: "serving-", flags: []string{"-disable-logstream", "-test-namespace=" + suitesNamespace}},
	{name: "ingress", folder: ".", images: "networking-", flags: []string{"-ingressClass=" + probedClass, "-enable-beta", "-enable-alpha"}},
}

// knativeConforms runs the conformance suites of Serving's API and of the ingress
// contract, unchanged, against what is installed. They take long: `make integration-all`
// asks for them.
func knativeConforms(t *testing.T, c *cluster) {
	if os.Getenv("STRAKE_TEST_CONFORMANCE") == "" {
		t.Skip("SKIPPED: Knative's conformance suites run in `make integration-all`, or with STRAKE_TEST_CONFORMANCE=1")
	}
	entrance, _, err := net.SplitHostPort(c.entrance(t, "web"))
	require.NoError(t, err)
	expected := expectedFailures(t)
	images := c.conformanceImages(t)
	// A suite tries an image that does not exist.
	missing := c.registry.RegistryCluster + "/missing/{{.Name}}"
	c.prepareSuites(t)
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			failed, passed := s.run(t, entrance, imageTemplate(images, s.images, missing))
			t.Logf("%d tests of the suite passed, %d failed, of which %d are expected to", len(passed), len(failed), len(expected[s.name]))
			require.NotEmpty(t, passed, "the suite ran no test")
			require.Empty(t, unexpected(failed, expected[s.name]), "tests of the suite failed")
			for name, reason := range expected[s.name] {
				require.True(t, slices.ContainsFunc(failed, within(name)), "%s passed, but testdata/knative-conformance.yml says that it fails: %s", name, reason)
			}
		})
	}
}

// expectedFailures returns the reason of each expected failure, by suite and test.
func expectedFailures(t *testing.T) map[string]map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/knative-conformance.yml")
	require.NoError(t, err)
	expected := map[string]map[string]string{}
	require.NoError(t, yaml.UnmarshalStrict(data, &expected))
	require.ElementsMatch(t, []string{suites[0].name, suites[1].name}, slices.Collect(maps.Keys(expected)))
	return expected
}

// unexpected returns the failures that are not expected.
func unexpected(failed []string, expected map[string]string) []string {
	return slices.DeleteFunc(slices.Clone(failed), func(name string) bool {
		for known := range expected {
			if within(known)(name) {
				return true
			}
		}
		return false
	})
}

// within tells whether a test is the named one or one of its subtests.
func within(name string) func(string) bool {
	return func(test string) bool { return test == name || strings.HasPrefix(test, name+"/") }
}

// conformanceImages returns the references of the suites' programs, by name.
func (c *cluster) conformanceImages(t *testing.T) map[string]string {
	t.Helper()
	var pod corev1.Pod
	require.NoError(t, yaml.Unmarshal([]byte(c.renderApp(t, "knative-conformance", nil)), &pod))
	images := map[string]string{}
	for _, container := range pod.Spec.Containers {
		images[container.Name] = container.Image
	}
	require.NotEmpty(t, images)
	return images
}

// prepareSuites creates the namespace of the suites, and what that of Serving expects in
// it. The values are Knative's (test/config/test-resources.yaml).
func (c *cluster) prepareSuites(t *testing.T) {
	t.Helper()
	c.namespaceOf(t, metav1.ObjectMeta{Name: suitesNamespace})
	data := metav1.ObjectMeta{Namespace: suitesNamespace}
	data.Name = "conformance-test-configmap"
	_, err := c.typed.CoreV1().ConfigMaps(suitesNamespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: data, Data: map[string]string{"testKey": "testValue"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	data.Name = "conformance-test-secret"
	_, err = c.typed.CoreV1().Secrets(suitesNamespace).Create(t.Context(), &corev1.Secret{ObjectMeta: data, StringData: map[string]string{"testKey": "testValue"}}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// run runs a suite. It returns the tests that failed, and those that passed. A test whose
// subtests are in a list is not in it itself.
func (s conformance) run(t *testing.T, entrance, imageTemplate string) (failed, passed []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), suiteTimeout)
	defer cancel()
	kubeconfig, err := filepath.Abs(shared.kubeconfig)
	require.NoError(t, err)
	args := append([]string{
		"test", "-json", "-count=1", "-tags=e2e", "-timeout=" + suiteTimeout.String(), s.folder, "-args",
		"-kubeconfig=" + kubeconfig, "-ingressendpoint=" + entrance, "-imagetemplate=" + imageTemplate,
	}, s.flags...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join("..", suitesRoot)
	cmd.Env = append(os.Environ(), "SYSTEM_NAMESPACE=knative-serving",
		"GATEWAY_NAMESPACE_OVERRIDE="+traefikNamespace, "GATEWAY_OVERRIDE=traefik")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run() // It fails if a test fails.
	results, output := readEvents(t, stdout.Bytes())
	require.NotEmpty(t, results, "the suite ran no test: %v\n%s", runErr, stderr.String())
	names := slices.Sorted(maps.Keys(results))
	failures := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return results[name] != "fail" })
	for _, name := range names {
		switch {
		case results[name] == "fail" && !hasSubtest(failures, name):
			failed = append(failed, name)
			t.Logf("%s failed:\n%s", name, output[name])
		case results[name] == "pass" && !hasSubtest(names, name):
			passed = append(passed, name)
		case results[name] == "skip":
			t.Logf("SKIPPED by the suite: %s\n%s", name, output[name])
		}
	}
	return failed, passed
}

// hasSubtest tells whether a list has subtests of a test.
func hasSubtest(list []string, name string) bool {
	return slices.ContainsFunc(list, func(other string) bool { return strings.HasPrefix(other, name+"/") })
}

// readEvents reads the output of `go test -json` (see `go doc test2json`): the result and
// the output of each test.
func readEvents(t *testing.T, events []byte) (results, output map[string]string) {
	t.Helper()
	results, output = map[string]string{}, map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(events))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Test == "" {
			continue
		}
		switch event.Action {
		case "pass", "fail", "skip":
			results[event.Test] = event.Action
		case "output":
			output[event.Test] += event.Output
		}
	}
	require.NoError(t, lines.Err())
	return results, output
}

// imageTemplate is the template from which a suite makes the reference of a program: that
// of the image with the prefix and the program's name, or else the reference that is given.
func imageTemplate(images map[string]string, prefix, others string) string {
	template := others
	for name, reference := range images {
		if program, ours := strings.CutPrefix(name, prefix); ours {
			template = fmt.Sprintf("{{if eq .Name %q}}%s{{else}}%s{{end}}", program, reference, template)
		}
	}
	return template
}
