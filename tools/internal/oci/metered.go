package oci

import (
	"context"
	"io"
	"net/http"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// metered counts what is read of answers in the tracker of the request's context.
type metered struct{ next http.RoundTripper }

type trackerKey struct{}

// metering makes downloads under ctx count in a tracker.
func metering(ctx context.Context, t progress.Tracker) context.Context {
	return context.WithValue(ctx, trackerKey{}, t)
}

// RoundTrip implements [http.RoundTripper].
func (m metered) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(req)
	if tracker, ok := req.Context().Value(trackerKey{}).(progress.Tracker); ok && err == nil {
		resp.Body = &meteredBody{resp.Body, tracker}
	}
	return resp, err
}

type meteredBody struct {
	io.ReadCloser
	tracker progress.Tracker
}

// Read counts what it reads.
func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.tracker.Add(int64(n))
	return n, err
}
