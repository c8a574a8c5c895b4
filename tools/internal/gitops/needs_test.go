package gitops

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/environment"
)

// TestNeedsOfTheEnvironments: what config/ says in words must be in place, and
// nothing that a package brings or its controllers make.
func TestNeedsOfTheEnvironments(t *testing.T) {
	c := checkout(t)
	for name, want := range map[string][]string{
		"dev":  nil,
		"prod": {"Secret traefik/platform-tls"},
		"airgapped": {
			"Secret dapr-system/registry-credentials", "ConfigMap flux-system/registry-ca", "Secret flux-system/registry-credentials",
			"Secret keda/registry-credentials", "Secret knative-eventing/registry-credentials", "ConfigMap knative-serving/registry-ca",
			"Secret knative-serving/registry-credentials", "Secret opentelemetry-collector/registry-credentials",
			"Secret opentelemetry-operator-system/registry-credentials", "Secret packages/registry-credentials",
			"Secret traefik/platform-tls", "Secret traefik/registry-credentials",
		},
	} {
		packages, err := environment.Render(t.Context(), c, environmentOf(t, c, name))
		require.NoError(t, err)
		needs, err := needsOf(packages)
		require.NoError(t, err)
		var have []string
		for _, need := range needs {
			have = append(have, need.String())
		}
		require.Equal(t, want, have, name)
	}
}
