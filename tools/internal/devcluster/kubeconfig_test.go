package devcluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/discovery"

	"github.com/strake-dev/strake/tools/internal/names"
)

// writeKubeconfig makes a kubeconfig with the contexts boat and ship, whose
// current one is as given.
func writeKubeconfig(t *testing.T, server, current string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: " + current + "\n" +
		"contexts: [{name: boat, context: {cluster: boat}}, {name: ship, context: {cluster: gone}}]\n" +
		"clusters: [{name: boat, cluster: {server: " + server + "}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// TestRESTConfig reads what kubectl would read.
func TestRESTConfig(t *testing.T) {
	given, ofKubectl := writeKubeconfig(t, "https://127.0.0.1:1", "boat"), writeKubeconfig(t, "https://127.0.0.1:2", "boat")
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none")+string(filepath.ListSeparator)+ofKubectl)

	config, err := RESTConfig("", "")
	require.NoError(t, err)
	require.Equal(t, "https://127.0.0.1:2", config.Host)

	config, err = RESTConfig(given, "boat")
	require.NoError(t, err)
	require.Equal(t, "https://127.0.0.1:1", config.Host)
	require.Negative(t, config.QPS, "client-go would send five requests a second")

	contexts, err := Contexts("")
	require.NoError(t, err)
	require.Equal(t, []string{"boat", "ship"}, contexts)
}

func TestRESTConfigErrorsNameTheRemedy(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	nowhere := filepath.Join(t.TempDir(), "config")
	broken := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(broken, []byte("contexts: 1\n"), 0o600))
	const server = "https://127.0.0.1:1"
	for _, test := range []struct {
		name, variable, kubeconfig, context string
		says                                []string
	}{
		{"no file at all", nowhere, "", "", []string{"no cluster to work on: " + nowhere, "--kubeconfig or KUBECONFIG", `"strake up"`}},
		{"a file that is not there", "", nowhere, "", []string{"there is no kubeconfig " + nowhere, "pass another file with --kubeconfig"}},
		{"no kubeconfig", "", broken, "", []string{"reading the kubeconfig: ", broken, "pass another file with --kubeconfig"}},
		{"a misspelt context", writeKubeconfig(t, server, "boat"), "", "baot", []string{`no context "baot"`, "did you mean boat?", "--context"}},
		{"no such context", writeKubeconfig(t, server, "boat"), "", "submarine", []string{`no context "submarine"`, "known: boat, ship"}},
		{"a context, and no file", nowhere, "", "boat", []string{`no context "boat"`, "there are none", "--kubeconfig or KUBECONFIG"}},
		{"no current context", writeKubeconfig(t, server, `""`), "", "", []string{"choose another by --context: boat, ship"}},
		{"a wrong current context", writeKubeconfig(t, server, "raft"), "", "", []string{"raft", "choose another by --context: boat, ship"}},
		{"a context without a cluster", writeKubeconfig(t, server, "boat"), "", "ship", []string{`reading the context "ship"`, "correct it"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.variable)
			_, err := RESTConfig(test.kubeconfig, test.context)
			for _, part := range test.says {
				require.ErrorContains(t, err, part)
			}
		})
	}
	t.Setenv("KUBECONFIG", writeKubeconfig(t, server, "boat"))
	_, err := RESTConfig("", "baot")
	require.ErrorAs(t, err, new(*names.UnknownError))
}

func TestUnreachableClusterNamesTheRemedy(t *testing.T) {
	config, err := RESTConfig(writeKubeconfig(t, "http://127.0.0.1:1", "boat"), "")
	require.NoError(t, err)
	client, err := discovery.NewDiscoveryClientForConfig(config)
	require.NoError(t, err)
	_, err = client.ServerVersion()
	require.ErrorContains(t, err, "the cluster does not respond")
	require.ErrorContains(t, err, "start it, or select another one with --context or --kubeconfig")
}
