package manifest_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// TestKEDA renders the kustomization of a real module, straight from the
// module cache.
func TestKEDA(t *testing.T) {
	const module = "github.com/kedacore/keda/v2@v2.21.0"
	dir := downloaded(t, module)
	what := []catalog.Manifest{{Kind: catalog.Kustomize, Path: "config/default"}}
	first, err := manifest.Render(t.Context(), dir, what)
	require.NoError(t, err)
	second, err := manifest.Render(t.Context(), dir, what)
	require.NoError(t, err)
	require.Equal(t, encode(t, first), encode(t, second))
	require.NotContains(t, encode(t, first), "config.kubernetes.io/origin")

	require.Len(t, first, 26)
	listed := origins(first)
	require.Contains(t, listed, "config/crd/bases/keda.sh_scaledjobs.yaml:2 CustomResourceDefinition.apiextensions.k8s.io scaledjobs.keda.sh\n")
	require.Contains(t, listed, "config/rbac/role.yaml:146 Role.rbac.authorization.k8s.io keda/keda-operator\n")
	require.Contains(t, listed, "config/metrics-server/api_service.yaml:1 APIService.apiregistration.k8s.io v1beta1.external.metrics.k8s.io\n")
}

// downloaded is a module's folder. Where there is neither the module nor a
// proxy to get it from, the test says so and is skipped.
func downloaded(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("SKIPPED: module %s is not in the module cache and cannot be downloaded: %s", module, out)
	}
	path, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	return filepath.Join(strings.TrimSpace(string(path)), filepath.FromSlash(module))
}
