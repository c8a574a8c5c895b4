package catalog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func sampleLock() *ImagesLock {
	platforms := []LockedPlatform{{Platform: "linux/amd64", Digest: digestB, SBOM: digestA}}
	return &ImagesLock{Source: FromUpstream, Images: []LockedImage{
		{Name: "hull", Reference: "ghcr.io/example/hull", Digest: digestA, Platforms: platforms},
		{Name: "mast", Reference: "mast", Digest: digestB, Platforms: platforms},
	}}
}

func TestWriteImagesLock(t *testing.T) {
	root := good().without("packages/boat/1.2.0/images.lock.yml").write(t)
	c, err := Load(root, AllowMissingLocks)
	require.NoError(t, err)
	v := c.Packages[0].Versions[0]

	require.NoError(t, WriteImagesLock(v, sampleLock()))
	require.Equal(t, sampleLock(), v.Images)
	first, err := os.ReadFile(filepath.Join(v.Dir, ImagesLockFile))
	require.NoError(t, err)
	require.Contains(t, string(first), "# Written by \"strake images lock boat@1.2.0\"; do not edit.\nsource: upstream\nimages:\n  - name: hull\n")

	c, err = Load(root)
	require.NoError(t, err)
	require.Equal(t, sampleLock(), c.Packages[0].Versions[0].Images)
	require.NoError(t, WriteImagesLock(c.Packages[0].Versions[0], sampleLock()))
	second, err := os.ReadFile(filepath.Join(v.Dir, ImagesLockFile))
	require.NoError(t, err)
	require.Equal(t, first, second)
	requireNoLeftovers(t, v.Dir)
}

func TestWriteImagesLockRefusesWhatLoadWould(t *testing.T) {
	root := good().write(t)
	c, err := Load(root)
	require.NoError(t, err)
	v := c.Packages[0].Versions[0]
	before := v.Images
	bad := sampleLock()
	bad.Images[0].Digest = "sha256:00"
	bad.Images = bad.Images[:1]
	err = WriteImagesLock(v, bad)
	require.ErrorContains(t, err, `images[0].digest "sha256:00" is not`)
	require.ErrorContains(t, err, `image "mast" of package.yml is not locked`)
	require.Same(t, before, v.Images)
	data, err := os.ReadFile(filepath.Join(v.Dir, ImagesLockFile))
	require.NoError(t, err)
	require.Equal(t, goodLock, string(data), "the old lock stays")
	requireNoLeftovers(t, v.Dir)
}

func TestWriteImagesLockWithoutFolder(t *testing.T) {
	p := &Package{Name: "boat"}
	v := &Version{Package: p, Version: "1.2.0", Dir: filepath.Join(t.TempDir(), "gone")}
	require.ErrorContains(t, WriteImagesLock(v, &ImagesLock{Source: FromUpstream, Images: []LockedImage{}}), "images.lock.yml: ")
}

func requireNoLeftovers(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
