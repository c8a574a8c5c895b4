package cli

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissingClients(t *testing.T) {
	present := func(names ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			for _, n := range names {
				if n == name {
					return "/bin/" + n, nil
				}
			}
			return "", exec.ErrNotFound
		}
	}
	require.Empty(t, missingClients(present("kubectl", "kctrl")))
	require.Contains(t, missingClients(present("kubectl")), "kctrl is not on PATH here: https://carvel.dev/")
	require.NotContains(t, missingClients(present("kubectl")), "kubectl")
	require.Contains(t, missingClients(present()), "kubectl is not on PATH here: https://kubernetes.io/")
}
