package upstream_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/upstream"
)

// liar is a registry that can answer for one digest with another manifest.
type liar struct {
	http.Handler
	host string
	// instead maps a digest to the one that is served for it.
	instead map[string]string

	mu    sync.Mutex
	asked []string
}

// take returns the requests so far, one a line, and forgets them.
func (l *liar) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := strings.Join(l.asked, "\n")
	l.asked = nil
	return taken
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	l := &liar{Handler: ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0))), instead: map[string]string{}}
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	l.host = strings.TrimPrefix(s.URL, "http://")
	return l
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.asked = append(l.asked, r.Method+" "+r.URL.Path)
	l.mu.Unlock()
	for asked, served := range l.instead {
		r.URL.Path = strings.Replace(r.URL.Path, "/manifests/"+asked, "/manifests/"+served, 1)
	}
	l.Handler.ServeHTTP(w, r)
}

// push makes an image of files and gives its digest.
func (l *liar) push(t *testing.T, files, labels map[string]string) string {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layerTar(t, files))), nil
	})
	require.NoError(t, err)
	image, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(t, err)
	image, err = mutate.Config(image, v1.Config{Labels: labels})
	require.NoError(t, err)
	ref, err := name.ParseReference(l.host + "/app:v1.2.3")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image))
	digest, err := image.Digest()
	require.NoError(t, err)
	return digest.String()
}

func imageSource(t *testing.T) source {
	return registrySource(t, "path: app\nimage: {url: %s}", "image", map[string]string{"deploy/a.yml": "a: 1\n"}, nil)
}

func bundleSource(t *testing.T) source {
	files := map[string]string{
		"deploy/a.yml": "a: 1\n",
		// imgpkg writes the lock of a pulled bundle itself, in this form.
		".imgpkg/images.yml": "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n",
	}
	return registrySource(t, "path: app\nimgpkgBundle: {image: %s}", "imgpkgBundle", files,
		map[string]string{"dev.carvel.imgpkg.bundle": "true"})
}

func registrySource(t *testing.T, contents, kind string, files, labels map[string]string) source {
	l := newLiar(t)
	digest := l.push(t, files, labels)
	ref := l.host + "/app@" + digest
	src := source{contents: fmt.Sprintf(contents, l.host+"/app:v1.2.3"), files: map[string]string{}}
	for file, text := range files {
		src.files["upstream/app/"+file] = text
	}
	src.origins = map[string]upstream.Origin{
		"upstream/app/deploy/a.yml": {Source: kind + " " + ref, Path: "deploy/a.yml", Sum: digest},
	}
	other := ""
	src.change = func() {
		files["deploy/a.yml"] = "a: 2\n"
		other = l.push(t, files, labels)
		l.instead[digest] = other
	}
	src.mismatch = []string{digest, "does not match"}
	return src
}
