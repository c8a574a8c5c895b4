package bundle_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

// sharing puts a package beside shared files and answers with it.
func sharing(t *testing.T, files map[string]string) *catalog.Package {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return &catalog.Package{Name: "demo", Dir: filepath.Join(root, "demo")}
}

func TestConfigFilesHoldTheSharedFilesThatAreLoaded(t *testing.T) {
	files, err := bundle.ConfigFiles(sharing(t, map[string]string{
		"demo/config/schema.yml":       `#@ load("/_common/parts/schema.lib.yml", "part")`,
		"_common/parts/schema.lib.yml": `#@ load("/_common/check.star", "check")`,
		"_common/check.star":           `load("/_common/parts/schema.lib.yml", "part")`,
		"_common/unused.star":          "",
	}))
	require.NoError(t, err)
	require.Len(t, files, 3)
	require.Contains(t, files, "config/_common/parts/schema.lib.yml")
	require.Contains(t, files, "config/_common/check.star", "loaded by a shared file")
}

func TestConfigFilesRefuseToLoad(t *testing.T) {
	tests := map[string]struct{ schema, want string }{
		"what is not there": {`#@ load("/_common/check.star", "check")`, "reading what config/schema.yml of package demo loads"},
		"what lies outside": {`#@ load("/_common/../../secret.star", "x")`, "it leaves the folder of shared files"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := bundle.ConfigFiles(sharing(t, map[string]string{"demo/config/schema.yml": test.schema}))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestConfigFilesRefuseAFolderOfTheSharedName(t *testing.T) {
	_, err := bundle.ConfigFiles(sharing(t, map[string]string{
		"demo/config/schema.yml": "", "demo/config/_common/check.star": "",
	}))
	require.ErrorContains(t, err, "the name is taken")
}
