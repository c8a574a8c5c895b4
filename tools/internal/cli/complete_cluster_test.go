package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// apiServer answers lists of namespaces and of PackageInstalls, and nothing else;
// the result is a kubeconfig for it.
func apiServer(t *testing.T) (kubeconfig string) {
	t.Helper()
	lists := map[string]string{
		"/api/v1/namespaces": list("v1", "Namespace", "apps", "strake"),
		"/apis/packaging.carvel.dev/v1alpha1/namespaces/strake/packageinstalls": list("packaging.carvel.dev/v1alpha1", "PackageInstall", "dapr", "keda"),
		"/apis/packaging.carvel.dev/v1alpha1/namespaces/apps/packageinstalls":   list("packaging.carvel.dev/v1alpha1", "PackageInstall", "flux"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, found := lists[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, text)
	}))
	t.Cleanup(server.Close)
	return kubeconfigOf(t, server.URL)
}

func list(apiVersion, kind string, names ...string) string {
	var items []string
	for _, name := range names {
		items = append(items, fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q}}`, apiVersion, kind, name))
	}
	return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"items":[%s]}`, apiVersion, kind+"List", strings.Join(items, ","))
}

// kubeconfigOf has the contexts boat, the current one, and ship.
func kubeconfigOf(t *testing.T, server string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: boat\n" +
		"contexts: [{name: boat, context: {cluster: boat}}, {name: ship, context: {cluster: boat}}]\n" +
		"clusters: [{name: boat, cluster: {server: " + server + "}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestCompletionAsksTheCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", apiServer(t))
	for line, want := range map[string][]string{
		"uninstall --context ":                {"boat", "ship"},
		"up --context ":                       {"boat", "ship"},
		"requires --context ":                 {"boat", "ship"},
		"uninstall -n ":                       {"apps", "strake"},
		"up --namespace ":                     {"apps", "strake"},
		"rbac --package-namespace ":           {"apps", "strake"},
		"env render --flux-namespace ":        {"apps", "strake"},
		"uninstall ":                          {"dapr", "keda"},
		"uninstall dapr ":                     {"keda"},
		"uninstall -n apps ":                  {"flux"},
		"uninstall --kubeconfig nowhere.yml ": nil,
	} {
		t.Run(line, func(t *testing.T) { require.Equal(t, want, completed(t, line)) })
	}
}

func TestCompletionIsSilentWithoutACluster(t *testing.T) {
	t.Setenv("KUBECONFIG", kubeconfigOf(t, "http://127.0.0.1:1"))
	require.Empty(t, completed(t, "uninstall "))
	require.Empty(t, completed(t, "uninstall -n "))
	require.Equal(t, []string{"boat", "ship"}, completed(t, "up --context "))
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	require.Empty(t, completed(t, "uninstall "))
	require.Empty(t, completed(t, "up --context "))
}

// completed are the words that a shell offers after the line.
func completed(t *testing.T, line string) []string {
	t.Helper()
	var out bytes.Buffer
	args := append([]string{"__completeNoDesc"}, strings.Split(line, " ")...)
	require.Zero(t, Run(t.Context(), args, Streams{In: strings.NewReader(""), Out: &out, Err: &bytes.Buffer{}}))
	var words []string
	for word := range strings.Lines(out.String()) {
		if word = strings.TrimSpace(word); word != "" && !strings.HasPrefix(word, ":") {
			words = append(words, word)
		}
	}
	return words
}
