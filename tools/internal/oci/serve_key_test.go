package oci

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file that is left out would change the registry and not its key.
func TestServeKeyIsThatOfAllSources(t *testing.T) {
	files, err := fs.Glob(os.DirFS("."), "serve*.go")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	embedded, err := fs.Glob(serveSources, "*")
	require.NoError(t, err)
	require.Equal(t, files, embedded)
	key := ServeKey()
	require.Equal(t, key, ServeKey(), "it depends on nothing of the moment")
}
