package repository_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// registry runs the embedded registry for a test and answers with its address.
func registry(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	dir := t.TempDir()
	go func() {
		done <- oci.Serve(ctx, oci.ServeOptions{Addr: "127.0.0.1:0", Dir: dir, Ready: func(addr string) { ready <- addr }})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return <-ready
}

// What imgpkg pulls from wherever the repository was pushed to is what was
// built, with every reference in its locks moved there.
func TestPulledRepository(t *testing.T) {
	image, err := random.Index(100, 1, 1)
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	edit := map[string]string{}
	for name, text := range tree() {
		edit[name] = strings.ReplaceAll(text, hullDigest, digest.String())
	}
	r := build(t, newTree(t, edit), repository.Options{})
	artifacts, err := r.Artifacts([]oci.Artifact{{Name: "hull", Digest: digest.String(), Index: image}})
	require.NoError(t, err)

	ctx, mirror := context.Background(), registry(t)+"/mirror/strake"
	remote, err := oci.Open(ctx, mirror, oci.Registry{Insecure: true})
	require.NoError(t, err)
	_, err = remote.Push(ctx, artifacts, oci.PushOptions{})
	require.NoError(t, err)

	pulled := pull(t, mirror+":0.1.0")
	require.Equal(t, string(r.Files[generated+"1.1.0.yml"]), read(t, pulled, "packages/boat.strake.test/1.1.0.yml"))
	require.Equal(t, []oci.LockEntry{
		{Image: mirror + "@" + r.Bundles[0].Digest, ID: r.Bundles[0].Reference()},
		{Image: mirror + "@" + r.Bundles[1].Digest, ID: r.Bundles[1].Reference()},
	}, lockOf(t, pulled))

	pulled = pull(t, mirror+"@"+r.Bundles[1].Digest)
	for name, text := range r.Bundles[1].Files {
		if name != ".imgpkg/images.yml" {
			require.Equal(t, string(text), read(t, pulled, name))
		}
	}
	require.Equal(t, []oci.LockEntry{{Image: mirror + "@" + digest.String(), ID: "upstream.test/boat/hull:1.1.0"}}, lockOf(t, pulled))
}

func pull(t *testing.T, reference string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pulled")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, oci.Pull(context.Background(), reference, dir, oci.Registry{Insecure: true}, oci.PullOptions{}))
	return dir
}

func lockOf(t *testing.T, dir string) []oci.LockEntry {
	t.Helper()
	entries, err := oci.ParseImagesLock([]byte(read(t, dir, ".imgpkg/images.yml")))
	require.NoError(t, err)
	return entries
}
