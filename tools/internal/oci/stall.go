package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// stallGuard ends requests whose content stops moving: an upload that the
// registry no longer reads, or a download that it no longer sends. Nothing
// else would, since an idle connection can last for days. How long a request
// takes as a whole is not bounded.
type stallGuard struct {
	next http.RoundTripper
	// limit is the longest time without progress; header is how long the
	// beginning of an answer may take once the content is sent.
	limit, header time.Duration
}

// stalledError is a transfer that stopped moving. A later try may succeed.
type stalledError struct {
	host  string
	limit time.Duration
}

// Error implements error.
func (e *stalledError) Error() string {
	return fmt.Sprintf("%s moved no content for %s", e.host, e.limit)
}

// RoundTrip implements [http.RoundTripper].
func (t stallGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{stalled: &stalledError{host: req.URL.Host, limit: t.limit}, cancel: cancel}
	resp, err := t.next.RoundTrip(t.watched(req.WithContext(ctx), w))
	w.disarm()
	if err != nil {
		err = w.explain(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &watchedDownload{ReadCloser: resp.Body, ctx: ctx, watch: w, limit: t.limit}
	return resp, nil
}

// watched makes the request tell w of what is read of its body.
func (t stallGuard) watched(req *http.Request, w *watch) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	wrap := func(body io.ReadCloser) io.ReadCloser {
		return &watchedUpload{ReadCloser: body, watch: w, limit: t.limit, header: t.header}
	}
	req.Body = wrap(req.Body)
	if again := req.GetBody; again != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return wrap(body), nil
		}
	}
	return req
}

// watch ends a request when nobody disarms or arms it again in time.
type watch struct {
	stalled *stalledError
	cancel  context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
}

func (w *watch) arm(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		w.timer = time.AfterFunc(limit, func() { w.cancel(w.stalled) })
		return
	}
	w.timer.Reset(limit)
}

func (w *watch) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// explain returns the stall in the place of what it led to.
func (w *watch) explain(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), w.stalled) {
		return w.stalled
	}
	return err
}

// watchedUpload is a request's body. The time between two reads is what the
// connection takes; that of a read is the source's own.
type watchedUpload struct {
	io.ReadCloser
	watch         *watch
	limit, header time.Duration
}

// Read implements [io.Reader].
func (b *watchedUpload) Read(p []byte) (int, error) {
	b.watch.disarm()
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		// The last bytes are on their way; then the answer must begin.
		b.watch.arm(b.limit + b.header)
	} else {
		b.watch.arm(b.limit)
	}
	return n, err
}

// watchedDownload is an answer's body. Only the time within a read counts:
// whoever reads may take as long as they like.
type watchedDownload struct {
	io.ReadCloser
	ctx   context.Context // of the request, to find out why it ended
	watch *watch
	limit time.Duration
}

// Read implements [io.Reader].
func (b *watchedDownload) Read(p []byte) (int, error) {
	b.watch.arm(b.limit)
	n, err := b.ReadCloser.Read(p)
	b.watch.disarm()
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.watch.explain(b.ctx, err)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *watchedDownload) Close() error {
	b.watch.disarm()
	b.watch.cancel(nil)
	return b.ReadCloser.Close()
}
