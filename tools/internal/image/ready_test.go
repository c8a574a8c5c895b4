package image

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestMissing(t *testing.T) {
	v := locked(t)
	missing, err := Missing(v)
	require.NoError(t, err)
	require.Empty(t, missing, "the cache has them")

	freshCache(t)
	missing, err = Missing(v)
	require.NoError(t, err)
	require.Equal(t, v.Images.Images, missing)

	v.Images.Source = catalog.FromUpstream
	missing, err = Missing(v)
	require.NoError(t, err)
	require.Empty(t, missing, "upstream's are not compiled")
	v.Images = nil
	missing, err = Missing(v)
	require.NoError(t, err)
	require.Empty(t, missing)
}

// TestDownloadCompilesNothing and leaves what the compiler asks for in the module cache.
func TestDownloadCompilesNothing(t *testing.T) {
	v := locked(t)
	freshCache(t)
	modules := t.TempDir()
	t.Setenv("GOMODCACHE", modules)
	t.Setenv("GOFLAGS", "-modcacherw") // so that the folder can be removed
	require.NoError(t, Download(t.Context(), v, nil))
	require.DirExists(t, filepath.Join(modules, "cache", "download"))
	require.Empty(t, cachedNames(t))

	v.Dir = t.TempDir()
	require.ErrorContains(t, Download(t.Context(), v, nil), "downloading the modules of ")
}

func TestCheckToolchain(t *testing.T) {
	v := locked(t)
	require.NoError(t, CheckToolchain(t.Context(), v))
	v.Images.Toolchain = "go1.2.3"
	require.ErrorContains(t, CheckToolchain(t.Context(), v), "pins go1.2.3")
	t.Setenv("PATH", t.TempDir())
	require.ErrorContains(t, CheckToolchain(t.Context(), v), "the go command is not on PATH: install Go")
}
