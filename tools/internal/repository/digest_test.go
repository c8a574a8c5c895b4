package repository

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/require"
)

func TestNextRevision(t *testing.T) {
	for version, want := range map[string]string{
		"2.21.0":            "2.21.0+strake.2",
		"2.21.0+strake.2":   "2.21.0+strake.3",
		"2.21.0+strake.9":   "2.21.0+strake.10",
		"2.21.0+other":      "2.21.0+strake.2",
		"2.21.0-rc.1":       "2.21.0-rc.1+strake.2",
		"2.21.0+strake.two": "2.21.0+strake.2",
	} {
		require.Equal(t, want, nextRevision(version))
	}
}

func TestDigests(t *testing.T) {
	lock, err := bundleLock("r.test/a@sha256:12", "1.0.0")
	require.NoError(t, err)
	require.Equal(t, "sha256:12", lockDigest(lock))
	pkg := "spec: {template: {spec: {fetch: [{imgpkgBundle: {image: 'r.test/a@sha256:12'}}]}}}"
	require.Equal(t, "sha256:12", packageDigest([]byte(pkg)))
	for _, text := range []string{"", "a: [", "<<<<<<< HEAD\n" + pkg, "spec: 1", strings.ReplaceAll(pkg, "@sha256:12", "")} {
		require.Empty(t, packageDigest([]byte(text)), text)
		require.Empty(t, lockDigest([]byte(text)), text)
	}
}

// Committed files are edited by hand and merged by git; whatever is in them,
// reading a digest out of them ends.
func FuzzDigests(f *testing.F) {
	f.Add([]byte("bundle: {image: 'r.test/a@sha256:12'}"))
	f.Add([]byte("spec: {template: {spec: {fetch: [{imgpkgBundle: {image: 'r.test/a@sha256:12'}}]}}}"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		_, _ = packageDigest(text), lockDigest(text)
	})
}

func TestUnpackRefusesOtherImages(t *testing.T) {
	image, err := random.Image(10, 2)
	require.NoError(t, err)
	_, err = unpack(image)
	require.ErrorContains(t, err, "one layer")
}
