package test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnlockedVersions says which versions are not proven on a cluster because
// their images are not locked. Once they are locked and published, TestPackages
// proves them like all others.
func TestUnlockedVersions(t *testing.T) {
	files, err := filepath.Glob("../packages/*/*/version.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		dir := filepath.Dir(file)
		if _, err := os.Stat(filepath.Join(dir, "images.lock.yml")); !os.IsNotExist(err) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "package.yml"))
		require.NoError(t, err)
		if !bytes.Contains(content, []byte("\nimages:\n")) {
			continue // a package without images has none to lock
		}
		id := filepath.Base(filepath.Dir(dir)) + "@" + filepath.Base(dir)
		t.Run(id, func(t *testing.T) {
			t.Skipf("SKIPPED: %s has no images.lock.yml, so there is nothing to run; where its registry or its sources can be reached: strake images lock %s (with --images=upstream for a project's own images), then publish it in repo/repository.yml", id, id)
		})
	}
}
