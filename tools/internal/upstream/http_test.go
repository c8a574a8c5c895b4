package upstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/upstream"
)

// httpFrom puts data onto a server and gives the contents that fetch it.
func httpFrom(s *server, path string, data []byte, more string) string {
	s.files[path] = data
	return fmt.Sprintf("path: app\nhttp:\n  url: %s\n  sha256: %s\n%s", s.URL+path, sum(data), more)
}

func httpSource(t *testing.T) source {
	s := newServer(t)
	data := tgz(t, map[string]string{"app-1.2.3/deploy/a.yml": "a: 1\n", "app-1.2.3/NOTICE": "n\n", "app-1.2.3/src/x.go": "x\n"})
	other := tgz(t, map[string]string{"app-1.2.3/deploy/a.yml": "a: 2\n"})
	origin := upstream.Origin{Source: "http " + s.URL + "/app.tgz", Path: "app-1.2.3/deploy/a.yml", Sum: "sha256:" + sum(data)}
	return source{
		contents: httpFrom(s, "/app.tgz", data, "includePaths: [app-1.2.3/deploy/**]\nnewRootPath: app-1.2.3\n"),
		files:    map[string]string{"upstream/app/deploy/a.yml": "a: 1\n"},
		origins:  map[string]upstream.Origin{"upstream/app/deploy/a.yml": origin},
		change:   func() { s.files["/app.tgz"] = other },
		mismatch: []string{"vendir.yml", "sha256:" + sum(data), "sha256:" + sum(other)},
	}
}

func httpFileSource(t *testing.T) source {
	s := newServer(t)
	data, other := []byte("a: 1\n"), []byte("a: 2\n")
	return source{
		contents: httpFrom(s, "/v1/app.yml", data, ""),
		files:    map[string]string{"upstream/app/app.yml": "a: 1\n"},
		origins: map[string]upstream.Origin{
			"upstream/app/app.yml": {Source: "http " + s.URL + "/v1/app.yml", Path: "app.yml", Sum: "sha256:" + sum(data)},
		},
		change:   func() { s.files["/v1/app.yml"] = other },
		mismatch: []string{sum(data), sum(other)},
	}
}

// release serves assets as GitHub's API does.
func release(t *testing.T, s *server, assets map[string][]byte) string {
	t.Helper()
	type asset struct {
		URL  string `json:"url"`
		Name string `json:"name"`
		Size int    `json:"size"`
	}
	var listed []asset
	for name, data := range assets {
		path := "/repos/o/r/releases/assets/" + name
		s.files[path] = data
		listed = append(listed, asset{s.URL + path, name, len(data)})
	}
	const path = "/repos/o/r/releases/tags/v1.2.3"
	body, err := json.Marshal(map[string]any{"tag_name": "v1.2.3", "url": s.URL + path, "assets": listed})
	require.NoError(t, err)
	s.files[path] = body
	return s.URL + path
}

func githubSource(t *testing.T) source {
	s := newServer(t)
	data, other := []byte("a: 1\n"), []byte("a: 2\n")
	url := release(t, s, map[string][]byte{"app.yml": data, "other.yml": other})
	return source{
		contents: fmt.Sprintf("path: app\ngithubRelease:\n  slug: o/r\n  url: %s\n  assetNames: [app.yml]\n  checksums: {app.yml: %s}\n", url, sum(data)),
		files:    map[string]string{"upstream/app/app.yml": "a: 1\n"},
		origins: map[string]upstream.Origin{
			"upstream/app/app.yml": {Source: "githubRelease o/r@v1.2.3", Path: "app.yml", Sum: "sha256:" + sum(data)},
		},
		change:   func() { release(t, s, map[string][]byte{"app.yml": other}) },
		mismatch: []string{"app.yml", sum(data), sum(other)},
	}
}

func githubArchiveSource(t *testing.T) source {
	s := newServer(t)
	data := zipped(t, map[string]string{"deploy/a.yml": "a: 1\n"})
	other := zipped(t, map[string]string{"deploy/a.yml": "a: 2\n"})
	url := release(t, s, map[string][]byte{"app.zip": data})
	return source{
		contents: fmt.Sprintf("path: app\ngithubRelease:\n  url: %s\n  assetNames: [app.zip]\n  checksums: {app.zip: %s}\n  unpackArchive: {path: app.zip}\n", url, sum(data)),
		files:    map[string]string{"upstream/app/deploy/a.yml": "a: 1\n"},
		origins: map[string]upstream.Origin{
			"upstream/app/deploy/a.yml": {Source: "githubRelease " + url, Path: "deploy/a.yml", Sum: "sha256:" + sum(data)},
		},
		change:   func() { release(t, s, map[string][]byte{"app.zip": other}) },
		mismatch: []string{"app.zip", sum(data), sum(other)},
	}
}

func TestFetchStopsWithItsContext(t *testing.T) {
	s := newServer(t)
	v := newVersion(t, indent(httpFrom(s, "/app.yml", []byte("a: 1\n"), "")))
	relock(t, v)

	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	s.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	go func() { <-asked; cancel() }()
	start := time.Now()
	_, err := upstream.Fetch(ctx, v)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(start), 30*time.Second)
	requireNothingKept(t)
}

func TestFetchFromAServerThatFails(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"404": http.NotFound,
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(handler)
			defer s.Close()
			v := newVersion(t, indent(fmt.Sprintf("path: app\nhttp: {url: %s/a.yml, sha256: %s}", s.URL, sum(nil))))
			_, err := upstream.Lock(t.Context(), v)
			require.ErrorContains(t, err, "vendir.yml")
			require.ErrorContains(t, err, name)
			require.NoFileExists(t, v.Dir+"/vendir.lock.yml")
			requireNothingKept(t)
		})
	}
}
