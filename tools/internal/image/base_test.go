package image

import (
	"archive/tar"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLayerIsTheSameInAnyOrder(t *testing.T) {
	a, b := file("x/y/b", []byte("b")), folder("x", 0o700)
	var digests []string
	for _, entries := range [][]entry{{a, b}, {b, a}} {
		layer, err := newLayer(entries)
		require.NoError(t, err)
		digest, err := layer.Digest()
		require.NoError(t, err)
		digests = append(digests, digest.String())

		content, err := layer.Uncompressed()
		require.NoError(t, err)
		var names []string
		for r := tar.NewReader(content); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			names = append(names, header.Name)
		}
		require.Equal(t, []string{"x/", "x/y/", "x/y/b"}, names)
	}
	require.Equal(t, digests[0], digests[1])
}

func TestBaseWithoutTimeZones(t *testing.T) {
	_, err := newBase(t.TempDir())
	require.ErrorContains(t, err, "reading the time zones of the Go toolchain")
	require.ErrorContains(t, err, "zoneinfo.zip")
}

func TestInImage(t *testing.T) {
	for path, want := range map[string]string{"/a": "a", "/a/b": "a/b", "a": "", "/": "", "/a/../b": "", "/a/": ""} {
		got, err := inImage(path)
		require.Equal(t, want, got, path)
		require.Equal(t, want == "", err != nil, path)
	}
}

func TestToolchainOfAnotherRelease(t *testing.T) {
	err := toolchain{Version: "go1.2.3"}.check()
	require.ErrorContains(t, err, "go1.2.3")
	require.ErrorContains(t, err, runtime.Version())
}
