package oci

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/require"
)

func impatient() Registry {
	r := awake()
	r.StallTimeout, r.ResponseHeaderTimeout = 100*time.Millisecond, 10*time.Second
	return r
}

// The first upload is larger than what sockets hold, and nobody reads it.
func TestStalledUploadIsBegunAgain(t *testing.T) {
	t.Parallel()
	var held atomic.Bool
	rec := newRecorder(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || r.ContentLength < 1<<20 || held.Swap(true) {
			return false
		}
		_, _ = io.CopyN(io.Discard, r.Body, 10)
		time.Sleep(6 * time.Second)
		panic(http.ErrAbortHandler)
	})
	image, err := random.Image(16<<20, 1)
	require.NoError(t, err)
	r := impatient()
	r.StallTimeout, r.ResponseHeaderTimeout = 2*time.Second, time.Minute
	report, err := openRemote(t, rec.host+"/repo", r).Push(t.Context(), []Artifact{{Name: "large", Image: image, Tags: []string{"tag"}}}, PushOptions{})
	require.NoError(t, err)
	require.True(t, held.Load())
	require.Equal(t, []string{"tag"}, report.Tagged)
}

// An upload larger than what sockets hold, which nobody reads.
func TestUploadThatStallsForEverEnds(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 10)
		time.Sleep(300 * time.Millisecond)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	r := impatient()
	r.Retries, r.ResponseHeaderTimeout = 1, time.Hour
	way, err := r.transport()
	require.NoError(t, err)
	content := bytes.Repeat([]byte{1}, 32<<20)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL, bytes.NewReader(content))
	require.NoError(t, err)
	begin := time.Now()
	resp, err := way.RoundTrip(req)
	if resp != nil {
		require.NoError(t, resp.Body.Close())
	}
	require.ErrorContains(t, err, "moved no content for 100ms (tried 2 times)")
	require.Less(t, time.Since(begin), 10*time.Second)
}

// A source that takes its time is no stall of the connection.
func TestSlowSourceIsNoStall(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	way, err := impatient().transport()
	require.NoError(t, err)
	source, sink := io.Pipe()
	go func() {
		time.Sleep(400 * time.Millisecond)
		_, _ = sink.Write([]byte("late"))
		_ = sink.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, server.URL, source)
	require.NoError(t, err)
	resp, err := way.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// breaks serves content and breaks the first answers at certain bytes: by
// ending the connection, or by sending nothing more.
type breaks struct {
	content string
	at      []int
	stall   bool
	// ranges, etag and changed say how the server is.
	ranges, changed bool
	etag            string
	asked           atomic.Int32
}

func (b *breaks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(b.asked.Add(1)) - 1
	content, begin := b.content, 0
	if b.changed && n > 0 {
		content = strings.Repeat("x", len(content)+1)
	}
	w.Header().Set("ETag", b.etag)
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && b.ranges {
		begin, _ = strconv.Atoi(strings.TrimSuffix(from, "-"))
		w.Header().Set("Content-Length", strconv.Itoa(len(content)-begin))
		w.WriteHeader(http.StatusPartialContent)
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	}
	if n >= len(b.at) {
		_, _ = io.WriteString(w, content[begin:])
		return
	}
	_, _ = io.WriteString(w, content[begin:max(begin, b.at[n])])
	w.(http.Flusher).Flush()
	if b.stall {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

func TestBrokenDownloadContinues(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 1000)
	tests := map[string]struct {
		server *breaks
		want   string // of the error; empty is success
	}{
		"cut":                    {&breaks{at: []int{10, 5000}, ranges: true}, ""},
		"stalled":                {&breaks{at: []int{10, 5000}, ranges: true, stall: true}, ""},
		"cut before the content": {&breaks{at: []int{0, 0}, ranges: true}, ""},
		"no ranges":              {&breaks{at: []int{10, 5000}}, ""},
		"tagged content":         {&breaks{at: []int{10}, ranges: true, etag: `"a"`}, ""},
		"often, with progress":   {&breaks{at: []int{10, 20, 30, 40, 50, 60, 70, 80}, ranges: true}, ""},
		"often, without":         {&breaks{at: []int{10, 10, 10, 10, 10, 10, 10, 10}, ranges: true}, "unexpected EOF"},
		"other content":          {&breaks{at: []int{10}, changed: true}, "with other content"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			test.server.content = content
			server := httptest.NewUnstartedServer(test.server)
			server.Config.ErrorLog = nil
			server.Start()
			defer server.Close()
			way, err := impatient().transport()
			require.NoError(t, err)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			require.NoError(t, err)
			resp, err := way.RoundTrip(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, content, string(got))
		})
	}
}
