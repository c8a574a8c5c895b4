package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]time.Duration{
		"":                               0,
		"soon":                           0,
		"0":                              0,
		"-4":                             0,
		"7":                              7 * time.Second,
		" 7 ":                            7 * time.Second,
		"86400":                          time.Minute,
		"9223372036854775807":            time.Minute,
		"92233720368547758070":           0,
		"Fri, 02 Jan 2026 03:04:25 GMT":  20 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT":  0,
		"Sat, 02 Jan 2027 03:04:05 GMT":  time.Minute,
		"Friday, 02-Jan-26 03:04:25 GMT": 20 * time.Second,
	}
	for header, want := range tests {
		require.Equal(t, want, retryAfter(header, now), "%q", header)
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, seed := range []string{"", "7", "-1", "1e9", "Fri, 02 Jan 2026 03:04:25 GMT", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		wait := retryAfter(header, now)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, maxRetryAfter)
	})
}

func TestRetrierSendsAgain(t *testing.T) {
	tests := map[string]struct {
		method   string
		failures int
		status   int
		header   string
		retries  int
		want     string // an error's text; "" is success
		tries    int32
		naps     []time.Duration
	}{
		"fine at once":      {http.MethodGet, 0, 0, "", 3, "", 1, nil},
		"busy, with a wait": {http.MethodGet, 2, 429, "9", 3, "", 3, []time.Duration{0, 9 * time.Second, 0, 9 * time.Second}},
		"down for a moment": {http.MethodPut, 2, 503, "", 3, "", 3, []time.Duration{0, 0}},
		"for ever":          {http.MethodGet, 99, 503, "", 2, "(tried 3 times)", 3, []time.Duration{0, 0}},
		"never again":       {http.MethodGet, 99, 500, "", -1, "500", 1, nil},
		"a stream":          {http.MethodPatch, 1, 503, "5", 3, "", 1, nil},
		"not passing":       {http.MethodGet, 1, 403, "5", 3, "", 1, nil},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var tries atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || (r.Method == http.MethodPut && string(body) != "content") {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				if int(tries.Add(1)) <= test.failures {
					w.Header().Set("Retry-After", test.header)
					w.WriteHeader(test.status)
				}
			}))
			defer server.Close()
			slept := &naps{}
			client := &http.Client{Transport: newRetrier(http.DefaultTransport, Registry{Retries: test.retries, sleep: slept.sleep})}
			req, err := http.NewRequestWithContext(t.Context(), test.method, server.URL, strings.NewReader("content"))
			require.NoError(t, err)

			resp, err := client.Do(req)
			require.Equal(t, test.tries, tries.Load())
			require.Equal(t, test.naps, slept.lasted)
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.NotEqual(t, http.StatusBadRequest, resp.StatusCode)
			require.NoError(t, resp.Body.Close())
		})
	}
}

// A wait that one request was told holds for the next, too.
func TestRetrierWaitsForOthers(t *testing.T) {
	var busy atomic.Bool
	busy.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if busy.Swap(false) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	slept := &naps{}
	client := &http.Client{Transport: newRetrier(http.DefaultTransport, Registry{sleep: slept.sleep})}
	for _, method := range []string{http.MethodPatch, http.MethodGet} {
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL, http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Equal(t, []time.Duration{30 * time.Second}, slept.lasted)
}

func TestRetrierEndsWithItsContext(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	begin := time.Now()
	res, err := (&http.Client{Transport: newRetrier(http.DefaultTransport, Registry{})}).Do(req)
	if err == nil {
		require.NoError(t, res.Body.Close())
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), 5*time.Second)
}

func TestGaveUpHidesItsCause(t *testing.T) {
	err := gaveUp(3, nil, io.EOF)
	require.NotErrorIs(t, err, io.EOF)
	require.EqualError(t, err, "EOF (tried 3 times)")
	require.False(t, transient(err))
	require.False(t, transient(errors.Join(err, io.EOF)))
}
