package gotool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/gotool"
)

func TestFindCaches(t *testing.T) {
	t.Setenv("GOCACHE", "/build")
	t.Setenv("GOMODCACHE", "/modules")
	t.Setenv("GOCACHEPROG", "keeper")
	caches, err := gotool.FindCaches(t.Context())
	require.NoError(t, err)
	require.Equal(t, gotool.Caches{Build: "/build", Modules: "/modules", Program: "keeper"}, caches)

	t.Setenv("PATH", "")
	t.Setenv(gotool.EnvPath, "")
	_, err = gotool.FindCaches(t.Context())
	require.ErrorIs(t, err, gotool.ErrMissing)
}

func TestMissing(t *testing.T) {
	caches := gotool.Caches{Modules: t.TempDir()}
	require.NoError(t, os.MkdirAll(filepath.Join(caches.Modules, "example.test", "!there@v1.0.0"), 0o755))
	const sum = `example.test/There v1.0.0 h1:AAAA=
example.test/There v1.0.0/go.mod h1:AAAA=
example.test/graph v1.0.0/go.mod h1:AAAA=
example.test/missing v1.0.0 h1:AAAA=
example.test/There v2.0.0+incompatible h1:AAAA=
not a line of go.sum
`
	require.InDelta(t, 2./3, caches.Missing([]byte(sum)), 0.01)
	require.Zero(t, caches.Missing(nil))
}
