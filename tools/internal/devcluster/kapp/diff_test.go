package kapp

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carvel.dev/kapp/pkg/kapp/resources"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/devcluster/fakeapi"
)

// record is what kapp keeps of an app that it has deployed.
const record = `apiVersion: v1
kind: ConfigMap
metadata:
  name: sails.app
  namespace: harbour
  labels: {kapp.k14s.io/is-app: ""}
data:
  spec: '{"labelKey":"kapp.k14s.io/app","labelValue":"1","lastChange":{"namespaces":["harbour"]},"usedGKs":[{"Group":"apps","Kind":"Deployment"},{"Group":"","Kind":"ConfigMap"}]}'`

func deployment(name string, replicas int) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: harbour}
spec:
  replicas: %d
  selector: {matchLabels: {app: %[1]s}}
  template: {metadata: {labels: {app: %[1]s}}, spec: {containers: [{name: main, image: example.test/a}]}}`, name, replicas)
}

// deployed is an object as kapp has left it on the cluster.
func deployed(t *testing.T, text string) string {
	t.Helper()
	o := resources.MustNewResourceFromBytes([]byte(text))
	raw := o.DeepCopyRaw()
	meta, ok := raw["metadata"].(map[string]any)
	require.True(t, ok)
	association := resources.NewAssociationLabel(o)
	meta["labels"] = map[string]any{"kapp.k14s.io/app": "1", association.Key(): association.Value()}
	out, err := yaml.Marshal(raw)
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func TestDiff(t *testing.T) {
	live := strings.Join([]string{record, deployed(t, deployment("main", 3))}, "\n---\n")
	server, kubeconfig := fakeapi.New(t, live)
	target := Target{Kubeconfig: kubeconfig, App: "sails.app", Namespace: "harbour"}
	changes, err := Diff(t.Context(), target, []byte(deployment("main", 1)+"\n---\n"+deployment("new", 2)))
	require.NoError(t, err)
	found := map[string]string{}
	for _, c := range changes {
		found[c.Op+" "+c.Object] = c.Diff
	}
	require.Len(t, found, 2)
	require.Regexp(t, `(?m)^-\s+replicas: 3$`, found["update deployment/main (apps/v1) namespace: harbour"])
	require.Regexp(t, `(?m)^\+\s+replicas: 1$`, found["update deployment/main (apps/v1) namespace: harbour"])
	require.Contains(t, found, "create deployment/new (apps/v1) namespace: harbour")
	require.Empty(t, server.Writes(), "a comparison writes nothing")
}

// kapp would create a record of an app that it does not know.
func TestDiffOfNothingDeployedWritesNothing(t *testing.T) {
	server, kubeconfig := fakeapi.New(t, deployment("other", 1))
	_, err := Diff(t.Context(), Target{Kubeconfig: kubeconfig, App: "sails.app", Namespace: "harbour"}, []byte(deployment("main", 1)))
	if err != nil {
		require.ErrorContains(t, err, "refused, since it could change the cluster")
	}
	require.Empty(t, server.Writes())
}

func TestOnlyReads(t *testing.T) {
	var arrived []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived = append(arrived, r.Method) }))
	defer server.Close()
	client := &http.Client{Transport: onlyReads{http.DefaultTransport}}
	for _, test := range []struct {
		method, path string
		sent         bool
	}{
		{http.MethodGet, "/api/v1/pods", true},
		{http.MethodHead, "/", true},
		{http.MethodPost, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", true},
		{http.MethodPost, "/api/v1/namespaces/a/configmaps", false},
		{http.MethodPost, "/api/v1/namespaces/a/configmaps?dryRun=All", false},
		{http.MethodPut, "/api/v1/namespaces/a/configmaps/b", false},
		{http.MethodPatch, "/api/v1/namespaces/a/configmaps/b", false},
		{http.MethodDelete, "/api/v1/namespaces/a/configmaps/b", false},
	} {
		arrived = nil
		request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		if test.sent {
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, []string{test.method}, arrived)
			continue
		}
		require.ErrorIs(t, err, errWrite, "%s %s", test.method, test.path)
		require.Empty(t, arrived)
	}
}
