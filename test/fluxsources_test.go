package test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// gitServer is git's own server over HTTP on one repository, at an address
// that pods reach.
type gitServer struct {
	url  string
	work string
}

// serveGit serves an empty repository until the test ends.
func serveGit(t *testing.T, c *cluster) *gitServer {
	t.Helper()
	root := t.TempDir()
	s := &gitServer{work: filepath.Join(root, "work")}
	bare := filepath.Join(root, "app.git")
	runGit(t, root, "init", "--quiet", "--bare", "--initial-branch=main", bare)
	runGit(t, bare, "config", "http.receivepack", "true")
	runGit(t, root, "clone", "--quiet", bare, s.work)
	runGit(t, s.work, "checkout", "--quiet", "-b", "main")

	backend := filepath.Join(runGit(t, root, "--exec-path"), "git-http-backend")
	s.url = serveToPods(t, c, &cgi.Handler{
		Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	}) + "/app.git"
	return s
}

// serveToPods listens on the host's address in the nodes' network until the
// test ends, and answers with its URL.
func serveToPods(t *testing.T, c *cluster, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(hostAddress(t, c), "0"))
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return "http://" + listener.Addr().String()
}

// commit writes files, by their paths, and pushes them to the branch main.
func (s *gitServer) commit(t *testing.T, sets ...map[string]string) {
	t.Helper()
	for _, files := range sets {
		for path, text := range files {
			file := filepath.Join(s.work, path)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		}
	}
	runGit(t, s.work, "add", "--all")
	runGit(t, s.work, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "change")
	runGit(t, s.work, "push", "--quiet", "origin", "main")
}

// runGit answers with what git printed. It sees nobody's own configuration.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

// pushFluxArtifact packs files as `flux push artifact` does, sends them to the
// cluster's registry, and answers with the repository as pods name it.
func (c *cluster) pushFluxArtifact(t *testing.T, tag string, files map[string]string) string {
	t.Helper()
	const repository = "strake/test-flux"
	layer := static.NewLayer(archive(t, files), "application/vnd.cncf.flux.content.v1.tar+gzip")
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.flux.config.v1+json")
	image, err := mutate.Append(image, mutate.Addendum{Layer: layer})
	require.NoError(t, err)
	image, ok := mutate.Annotations(image, map[string]string{"org.opencontainers.image.created": time.Now().UTC().Format(time.RFC3339)}).(v1.Image)
	require.True(t, ok)
	reference, err := name.ParseReference(c.registry.RegistryPush+"/"+repository+":"+tag, name.Insecure)
	require.NoError(t, err)
	require.NoError(t, remote.Write(reference, image, remote.WithContext(t.Context())))
	return c.registry.RegistryCluster + "/" + repository
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	compressed := gzip.NewWriter(&b)
	w := tar.NewWriter(compressed)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(files[path]))}))
		_, err := w.Write([]byte(files[path]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, compressed.Close())
	return b.Bytes()
}
