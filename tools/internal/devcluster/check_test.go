package devcluster

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckOfAnExistingCluster(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	registry := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(registry.Close)
	o := Options{Context: "theirs", Registry: strings.TrimPrefix(registry.URL, "http://"), Kubeconfig: t.TempDir() + "/none"}
	r, err := Check(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, r.Missing, 2)
	require.Equal(t, `a running cluster in the context "theirs"`, r.Missing[0].What)
	require.Contains(t, r.Missing[0].Get, "kubectl config get-contexts")
	require.Contains(t, r.Missing[1].What, "a registry that responds at 127.0.0.1:")
	require.NotContains(t, r.Missing[0].Why, "\n")
}

func TestCheckOfANewCluster(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	r, err := Check(t.Context(), Options{NodeImage: NodeImagePublished})
	require.NoError(t, err)
	require.NotEmpty(t, r.Missing, "nothing may be installed")
	require.Contains(t, r.Missing[0].What, "a running container engine")
	require.Empty(t, r.Installs)

	installEngine(t, docker, "case $1 in info) echo 99.0 ;; ps) echo node ;; esac")
	r, err = Check(t.Context(), Options{NodeImage: NodeImagePublished})
	require.NoError(t, err)
	require.Contains(t, r.Description, "engine docker")
	require.True(t, r.Exists)
	require.Empty(t, r.Programs)
	r, err = Check(t.Context(), Options{NodeImage: NodeImagePublished, Recreate: true})
	require.NoError(t, err)
	require.False(t, r.Exists)

	_, err = Check(t.Context(), Options{Name: "No Name"})
	require.ErrorContains(t, err, "must be lower-case letters")
}

func TestInstallable(t *testing.T) {
	h := good()
	h.commands["apt-get"] = true
	list := []Missing{{What: "podman", Packages: []string{"podman", "runc"}}}
	packages, ok := h.installable(Options{AllowInstall: true}, list)
	require.True(t, ok)
	require.Equal(t, []string{"podman", "runc"}, packages)
	_, ok = h.installable(Options{}, list)
	require.False(t, ok)
	_, ok = h.installable(Options{AllowInstall: true}, append(list, Missing{What: "a capability"}))
	require.False(t, ok)
}
