package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

func TestServeKeepsContentOnDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "here")
	a := randomArtifact(t, "kept")
	t.Run("push", func(t *testing.T) {
		host := serve(t, ServeOptions{Dir: dir})
		_, err := openRemote(t, host+"/repo", Registry{}).Push(t.Context(), []Artifact{a}, PushOptions{})
		require.NoError(t, err)
	})
	host := serve(t, ServeOptions{Dir: dir})
	got, err := openRemote(t, host+"/repo", Registry{}).Resolve(t.Context(), "kept")
	require.NoError(t, err)
	require.Equal(t, a.Digest, got.Digest.String())
}

func TestServeDeletesOnlyWhenAllowed(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		host := serve(t, ServeOptions{Delete: allowed})
		m := openRemote(t, host+"/repo", Registry{})
		a := randomArtifact(t, "tag")
		_, err := m.Push(t.Context(), []Artifact{a}, PushOptions{})
		require.NoError(t, err)
		err = remote.Delete(m.repository.Digest(a.Digest))
		if allowed {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "UNSUPPORTED")
		}
	}
}

func TestServeShowsNothingElse(t *testing.T) {
	host := serve(t, ServeOptions{})
	for _, path := range []string{"/debug/health", "/debug/vars", "/debug/pprof/", "/metrics"} {
		resp, err := http.Get("http://" + host + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestServeLogsOnlyItsOwnFailures(t *testing.T) {
	log := &buffer{}
	dir := t.TempDir()
	host := serve(t, ServeOptions{Dir: dir, Log: log})
	m := openRemote(t, host+"/repo", Registry{Retries: -1})
	_, err := m.Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
	require.NoError(t, err)
	_, err = m.Resolve(t.Context(), "other")
	require.Error(t, err)
	require.Empty(t, log.String())

	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	_, err = m.Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
	require.Error(t, err)
	require.Contains(t, log.String(), "registry: response completed with error")
}

func TestServeErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, Serve(t.Context(), ServeOptions{Addr: "127.0.0.1:0", Dir: file}), "making the registry's folder")

	host := serve(t, ServeOptions{})
	err := Serve(t.Context(), ServeOptions{Addr: host, Dir: t.TempDir()})
	require.ErrorContains(t, err, "is another one running there?")
}

func TestServeEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	require.NoError(t, Serve(ctx, ServeOptions{Addr: "127.0.0.1:0", Dir: t.TempDir(), Ready: func(string) { cancel() }}))
	require.Less(t, time.Since(begin), 3*time.Second)
}

// Neither side of a push holds a layer in memory.
func TestPushStreams(t *testing.T) {
	const size = 64 << 20
	host := serve(t, ServeOptions{})
	image, err := mutate.AppendLayers(empty.Image, newZeros(t, size))
	require.NoError(t, err)
	m := openRemote(t, host+"/repo", Registry{})

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	report, err := m.Push(t.Context(), []Artifact{{Name: "big", Image: image}}, PushOptions{})
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Greater(t, report.Uploaded.Bytes, int64(size))
	// All that was ever allocated, collected or not.
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/8))
}

// zeros is a layer of so many zero bytes.
type zeros struct {
	size   int64
	digest v1.Hash
}

func newZeros(t *testing.T, size int64) zeros {
	t.Helper()
	hash := sha256.New()
	_, err := io.Copy(hash, io.LimitReader(zeroReader{}, size))
	require.NoError(t, err)
	return zeros{size: size, digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(hash.Sum(nil))}}
}

func (z zeros) Digest() (v1.Hash, error)             { return z.digest, nil }
func (z zeros) DiffID() (v1.Hash, error)             { return z.digest, nil }
func (z zeros) Size() (int64, error)                 { return z.size, nil }
func (z zeros) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }
func (z zeros) Uncompressed() (io.ReadCloser, error) { return z.Compressed() }
func (z zeros) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(zeroReader{}, z.size)), nil
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
