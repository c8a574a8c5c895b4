package oci

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// leastRate is the speed of one download, in bytes per second, below which a mirror helps
// nobody: an image of 30 MB would take half an hour. A mirror that sends a byte a minute
// never stalls, and could hold a run for years.
const leastRate = 16 << 10

// metered counts what is read of answers in the tracker of the request's context, and ends
// those that come too slowly.
type metered struct {
	next http.RoundTripper
	// window is for how long an answer may be slow.
	window time.Duration
}

type trackerKey struct{}

// metering makes downloads under ctx count in a tracker.
func metering(ctx context.Context, t progress.Tracker) context.Context {
	return context.WithValue(ctx, trackerKey{}, t)
}

// slowError is a download slower than [leastRate].
type slowError struct {
	host   string
	got    int64
	waited time.Duration
}

func (e *slowError) Error() string {
	return fmt.Sprintf("%s is too slow: it sent %s in %s", e.host, humanize.Bytes(uint64(e.got)), e.waited.Round(time.Millisecond))
}

// RoundTrip implements [http.RoundTripper].
func (m metered) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(req)
	if tracker, ok := req.Context().Value(trackerKey{}).(progress.Tracker); ok && err == nil {
		resp.Body = &meteredBody{ReadCloser: resp.Body, tracker: tracker, host: req.URL.Host, window: m.window}
	}
	return resp, err
}

type meteredBody struct {
	io.ReadCloser
	tracker progress.Tracker
	host    string
	window  time.Duration
	// got bytes came since the window was opened, while reads waited for that long.
	got    int64
	waited time.Duration
}

// Read counts what it reads. Only the time within a read counts, since whoever reads may
// take as long as they like.
func (b *meteredBody) Read(p []byte) (int, error) {
	begin := time.Now()
	n, err := b.ReadCloser.Read(p)
	b.tracker.Add(int64(n))
	b.got, b.waited = b.got+int64(n), b.waited+time.Since(begin)
	if err != nil || b.waited < b.window {
		return n, err
	}
	if float64(b.got) < leastRate*b.waited.Seconds() {
		return n, &slowError{host: b.host, got: b.got, waited: b.waited}
	}
	b.got, b.waited = 0, 0
	return n, nil
}
