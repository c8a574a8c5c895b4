package image

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

const (
	yard = `name: %s
metadata: {displayName: X, shortDescription: X, longDescription: X, providerName: X, maintainers: [X], categories: [x], source: https://example.test/commands}
images:
  - {name: server, reference: %s-server, %s}
`
	yardVersion = `version: 1.2.3
releasedAt: 2026-03-04T05:06:07Z
releaseNotes: X
licenses: [MIT]
kubernetes: ">=1.29.0"
includes: []
`
)

// TestImagesOfOtherPackages: a package that has another's image has it with the
// same digest, and does not make it a second time.
func TestImagesOfOtherPackages(t *testing.T) {
	newVersion(t)
	root := t.TempDir()
	put := func(name, content string) {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	}
	put("repo/repository.yml", "domain: strake.test\ncanonical: registry.strake.test/x/y\nversion: 0.1.0\npublished: {}\n")
	put("packages/maker/package.yml", fmt.Sprintf(yard, "maker", "maker", "command: example.test/commands/cmd/server"))
	put("packages/maker/1.2.3/version.yml", yardVersion)
	newModule(t, filepath.Join(root, "packages/maker/1.2.3"))
	put("packages/user/package.yml", fmt.Sprintf(yard, "user", "user", "from: maker"))
	put("packages/user/1.2.3/version.yml", yardVersion+"from: {maker: 1.2.3}\n")

	c, err := catalog.Load(root, catalog.AllowMissingLocks)
	require.NoError(t, err)
	maker, user := c.Packages[0].Versions[0], c.Packages[1].Versions[0]

	_, err = Lock(t.Context(), user, Options{})
	require.ErrorContains(t, err, `which has not locked it: run "strake images lock maker@1.2.3" first`)
	maker.Images, err = Lock(t.Context(), maker, Options{})
	require.NoError(t, err)
	_, err = Lock(t.Context(), user, Options{Platforms: []string{"linux/arm64"}})
	require.ErrorContains(t, err, "not locked for linux/arm64 by maker 1.2.3")
	user.Images, err = Lock(t.Context(), user, Options{})
	require.NoError(t, err)
	require.Equal(t, "user-server", user.Images.Images[0].Reference)

	artifacts, err := Build(t.Context(), user, Options{})
	require.NoError(t, err)
	require.Equal(t, maker.Images.Images[0].Digest, artifacts[0].Digest)
	require.Len(t, cachedNames(t), 1)
}
