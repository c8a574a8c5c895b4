package oci

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestImagesLock(t *testing.T) {
	entries := []LockEntry{
		{Image: "registry.strake.internal/strake/platform@" + someDigest, ID: "ghcr.io/kedacore/keda:2.21.0"},
		{Image: "registry.strake.internal/strake/platform@" + someDigest, ID: "ghcr.io/kedacore/keda:main"},
		{Image: "registry.strake.internal/strake/other@" + someDigest},
	}
	content, err := ImagesLock(entries)
	require.NoError(t, err)
	require.Equal(t, `---
apiVersion: imgpkg.carvel.dev/v1alpha1
images:
- annotations:
    kbld.carvel.dev/id: ghcr.io/kedacore/keda:2.21.0
  image: registry.strake.internal/strake/platform@`+someDigest+`
- annotations:
    kbld.carvel.dev/id: ghcr.io/kedacore/keda:main
  image: registry.strake.internal/strake/platform@`+someDigest+`
- image: registry.strake.internal/strake/other@`+someDigest+`
kind: ImagesLock
`, string(content))
	got, err := ParseImagesLock(content)
	require.NoError(t, err)
	require.Equal(t, entries, got)
}

func TestEmptyImagesLock(t *testing.T) {
	content, err := ImagesLock(nil)
	require.NoError(t, err)
	got, err := ParseImagesLock(content)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestImagesLockWantsDigests(t *testing.T) {
	_, err := ImagesLock([]LockEntry{{Image: "ghcr.io/kedacore/keda:2.21.0"}})
	require.ErrorContains(t, err, "Expected ref to be in digest form, got 'ghcr.io/kedacore/keda:2.21.0'")
}

func TestParseImagesLockRefuses(t *testing.T) {
	head := "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n"
	tests := map[string]struct{ content, want string }{
		"nothing":       {"", "apiVersion"},
		"no YAML":       {"{", "Unmarshaling"},
		"other kind":    {strings.Replace(head, "ImagesLock", "BundleLock", 1), "kind"},
		"unknown field": {head + "imagess: []\n", "imagess"},
		"tag":           {head + "images:\n- image: nginx:1\n", "digest form"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := ParseImagesLock([]byte(test.content))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func FuzzParseImagesLock(f *testing.F) {
	head := "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n"
	f.Add([]byte(head))
	f.Add([]byte(head + "- image: nginx@" + someDigest + "\n  annotations: {kbld.carvel.dev/id: nginx}\n"))
	f.Add([]byte(head + "- image: 1@" + someDigest))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, err := ParseImagesLock(content)
		if err != nil {
			return
		}
		written, err := ImagesLock(entries)
		require.NoError(t, err)
		again, err := ParseImagesLock(written)
		require.NoError(t, err)
		require.Equal(t, entries, again)
	})
}
