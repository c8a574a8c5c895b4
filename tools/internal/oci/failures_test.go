package oci

import (
	"context"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"
)

// refuse answers with a status to requests of a method whose path contains
// part, from the nth on (counted from 1) for so many times.
func refuse(status int, method, part string, times int32) interceptor {
	var seen atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || !strings.Contains(r.URL.Path, part) || seen.Add(1) > times {
			return false
		}
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(status)
		return true
	}
}

// cut drops the connection in the middle of a blob.
func cut(times int32) interceptor {
	var seen atomic.Int32
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || seen.Add(1) > times {
			return false
		}
		_, _ = io.CopyN(io.Discard, r.Body, 10)
		panic(http.ErrAbortHandler)
	}
}

const always = 1 << 20

func TestPushThroughFailures(t *testing.T) {
	tests := map[string]struct {
		intercept interceptor
		want      []string // of the error; none is success
	}{
		"429 on a question":     {refuse(429, http.MethodHead, "/blobs/", 3), nil},
		"503 on an upload":      {refuse(503, http.MethodPost, "/uploads/", 3), nil},
		"429 on a stream":       {refuse(429, http.MethodPatch, "/uploads/", 3), nil},
		"503 on a commit":       {refuse(503, http.MethodPut, "/uploads/", 2), nil},
		"500 on a manifest":     {refuse(500, http.MethodPut, "/manifests/", 2), nil},
		"dropped connection":    {cut(4), nil},
		"dropped every time":    {cut(always), []string{"pushing to", "sending the blob sha256:"}},
		"429 for ever":          {refuse(429, http.MethodPost, "/uploads/", always), []string{"429", "(tried 6 times)", "try again later"}},
		"429 on all streams":    {refuse(429, http.MethodPatch, "/uploads/", always), []string{"429", "try again later"}},
		"503 from the start":    {refuse(503, http.MethodGet, "/v2/", always), []string{"503", "try again later"}},
		"manifests refused":     {refuse(500, http.MethodPut, "/manifests/", always), []string{"sending the manifest", "500"}},
		"no right to push":      {refuse(403, http.MethodPost, "/uploads/", always), []string{"403", "does not allow this", "docker login"}},
		"credentials refused":   {refuse(401, http.MethodHead, "/manifests/", always), []string{"401", "refuses the credentials", "docker login", "--registry-username"}},
		"read-only":             {refuse(405, http.MethodPost, "/uploads/", always), []string{"405", "is read-only"}},
		"tags may not be moved": {refuse(403, http.MethodPut, "/manifests/tag", always), []string{"setting the tag " + "tag", "403"}},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder(t, test.intercept)
			m := openRemote(t, rec.host+"/repo", awake())
			a := randomArtifact(t, "tag")
			report, err := m.Push(t.Context(), []Artifact{a}, PushOptions{})
			if len(test.want) == 0 {
				require.NoError(t, err)
				require.Equal(t, 12, report.Uploaded.Blobs)
				require.Equal(t, []string{"tag"}, tagsIn(t, rec.host+"/repo"))
				return
			}
			require.Error(t, err)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, report.Tagged)
			require.Less(t, len(rec.take()), 500, "the tries end")
			require.NotContains(t, rec.tags(t), "tag")
		})
	}
}

func TestPushAfterFailureCompletes(t *testing.T) {
	rec := newRecorder(t, refuse(403, http.MethodPut, "/manifests/", 1))
	m := openRemote(t, rec.host+"/repo", awake())
	a := []Artifact{randomArtifact(t, "tag")}
	first, err := m.Push(t.Context(), a, PushOptions{})
	require.Error(t, err)
	require.Equal(t, 12, first.Uploaded.Blobs)
	require.Empty(t, tagsIn(t, rec.host+"/repo"))

	second, err := m.Push(t.Context(), a, PushOptions{})
	require.NoError(t, err)
	require.Zero(t, second.Uploaded.Blobs)
	require.Equal(t, []string{"tag"}, second.Tagged)
}

func TestPushToNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	host := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = openRemote(t, host+"/repo", awake()).Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
	require.ErrorContains(t, err, "connection refused")
	require.ErrorContains(t, err, "(tried 6 times)")
	require.ErrorContains(t, err, "check that "+host+" is right, runs and can be reached")
}

func TestPushToReadOnlyRegistry(t *testing.T) {
	host := serve(t, ServeOptions{ReadOnly: true})
	_, err := openRemote(t, host+"/repo", awake()).Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
	require.ErrorContains(t, err, "is read-only; push to a registry that accepts writes")
}

func TestPushEndsWithItsContext(t *testing.T) {
	for title, method := range map[string]string{"asking": http.MethodHead, "streaming": http.MethodPatch} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			rec := newRecorder(t, func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == method {
					cancel()
					// Without reading the body, the server does not see the client go.
					_, _ = io.Copy(io.Discard, r.Body)
					<-r.Context().Done()
				}
				return false
			})
			begin := time.Now()
			_, err := openRemote(t, rec.host+"/repo", Registry{}).Push(ctx, []Artifact{randomArtifact(t, "tag")}, PushOptions{})
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, time.Since(begin), 3*time.Second)
			require.Empty(t, tagsIn(t, rec.host+"/repo"))
		})
	}
}

func TestPushEndsWhileItWaits(t *testing.T) {
	rec := newRecorder(t, refuse(429, http.MethodPost, "/uploads/", always))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := openRemote(t, rec.host+"/repo", Registry{}).Push(ctx, []Artifact{randomArtifact(t, "tag")}, PushOptions{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), 2*time.Second)
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, block, 0o600))

	a := randomArtifact(t, "tag")
	push := func(r Registry) error {
		m, err := Open(t.Context(), host+"/repo", r)
		require.NoError(t, err)
		_, err = m.Push(t.Context(), []Artifact{a}, PushOptions{})
		return err
	}
	require.NoError(t, push(Registry{CAFiles: []string{ca}}))
	require.NoError(t, push(Registry{SkipVerify: true}))
	require.ErrorContains(t, push(awake()), "trust its CA with --registry-ca-cert-path")
}

func TestCAFilesThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	_, err := Open(t.Context(), "registry.example/repo", Registry{CAFiles: []string{file}})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("no certificate"), 0o600))
	_, err = Open(t.Context(), "registry.example/repo", Registry{CAFiles: []string{file}})
	require.ErrorContains(t, err, file+" holds no certificate in PEM form")
}
