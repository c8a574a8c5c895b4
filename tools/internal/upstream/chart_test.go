package upstream_test

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/strake-dev/strake/tools/internal/upstream"
)

// newChart packs a chart of one template and gives the archive's file.
func newChart(t *testing.T, text string) string {
	t.Helper()
	file, err := chartutil.Save(&chart.Chart{
		Metadata:  &chart.Metadata{APIVersion: "v2", Name: "app", Version: "1.2.3", AppVersion: "9"},
		Templates: []*chart.File{{Name: "templates/a.yml", Data: []byte(text)}},
	}, t.TempDir())
	require.NoError(t, err)
	return file
}

func helmSource(t *testing.T) source {
	s := newServer(t)
	serve := func(text string) string {
		file := newChart(t, text)
		index, err := repo.IndexDirectory(filepath.Dir(file), s.URL+"/charts")
		require.NoError(t, err)
		at := filepath.Join(t.TempDir(), "index.yaml")
		require.NoError(t, index.WriteFile(at, 0o600))
		s.files["/charts/index.yaml"] = []byte(read(t, at))
		s.files["/charts/app-1.2.3.tgz"] = []byte(read(t, file))
		return sum([]byte(read(t, file)))
	}
	first := serve("a: 1\n")
	src := helmContents(s.URL+"/charts", first)
	src.change = func() {
		second := serve("a: 2\n")
		require.NotEqual(t, first, second)
	}
	src.mismatch = []string{"chart app", "SHA-256 " + first, "but has "}
	src.origins = map[string]upstream.Origin{
		"upstream/app/templates/a.yml": {Source: "helmChart " + s.URL + "/charts app 1.2.3", Path: "templates/a.yml", Sum: "sha256:" + first},
	}
	return src
}

func helmOCISource(t *testing.T) source {
	s := httptest.NewServer(ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	client, err := registry.NewClient(registry.ClientOptPlainHTTP(), registry.ClientOptWriter(io.Discard),
		registry.ClientOptCredentialsFile(filepath.Join(t.TempDir(), "none")))
	require.NoError(t, err)
	serve := func(text string) string {
		data, err := os.ReadFile(newChart(t, text))
		require.NoError(t, err)
		_, err = client.Push(data, host+"/charts/app:1.2.3")
		require.NoError(t, err)
		return sum(data)
	}
	first := serve("a: 1\n")
	src := helmContents("oci://"+host+"/charts", first)
	src.change = func() { serve("a: 2\n") }
	src.mismatch = []string{"app", "SHA-256 " + first, "but has "}
	return src
}

func helmContents(url, sum string) source {
	return source{
		contents: fmt.Sprintf("path: app\nhelmChart:\n  name: app\n  version: 1.2.3\n  repository: {url: %q}\n  sha256: %s\nincludePaths: [templates/*]\n", url, sum),
		files:    map[string]string{"upstream/app/templates/a.yml": "a: 1\n"},
	}
}
