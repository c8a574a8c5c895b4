package oci

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/strake-dev/strake/tools/internal/retry"
)

const (
	// maxRetryAfter bounds one wait that a registry asks for.
	maxRetryAfter = time.Minute
	// Waits that nobody asks for double from the first to the last.
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 2 * time.Second
	// drainLimit is how much of a refusal's body is read so that its
	// connection can serve again.
	drainLimit = 64 << 10
)

// retrier sends requests again that failed in passing, and waits as long as
// the registry asks.
//
// It exists because go-containerregistry's retries and imgpkg's know nothing
// of Retry-After, cannot be cancelled while they wait, and multiply when one
// runs inside the other. They are switched off; this is the one place that
// retries, except for blob uploads, whose streams only [Remote.Push] can
// begin again, and for the bodies of answers, which [resumer] continues.
//
// A wait that a registry asks for holds for all requests to its host, also
// those of other goroutines, so that a limit that is reached once is not run
// into by every upload.
type retrier struct {
	next  http.RoundTripper
	tries int
	sleep func(context.Context, time.Duration) error

	mu        sync.Mutex
	notBefore map[string]time.Time
}

func newRetrier(next http.RoundTripper, r Registry) *retrier {
	sleep := r.sleep
	if sleep == nil {
		sleep = retry.Sleep
	}
	return &retrier{next: next, tries: r.tries(), sleep: sleep, notBefore: map[string]time.Time{}}
}

// RoundTrip implements [http.RoundTripper]. What still fails at the last try
// is a [*gaveUpError].
func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	send := req
	for try := 1; ; try++ {
		if err := t.await(req); err != nil {
			return nil, err
		}
		resp, err := t.next.RoundTrip(send)
		if !t.passing(req, resp, err) || !repeatable(req) {
			return resp, err
		}
		if try >= t.tries {
			return nil, gaveUp(try, resp, err)
		}
		failed := t.failure(req, resp, err)
		drain(resp)
		failed.Failed, failed.Max, failed.Wait = try, t.tries, backoff(try)
		if err := failed.Pause(req.Context(), t.sleep); err != nil {
			return nil, err
		}
		if send, err = again(req); err != nil {
			return nil, err
		}
	}
}

// failure says what a request met, without what may be a secret: the query of its URL.
func (t *retrier) failure(req *http.Request, resp *http.Response, err error) retry.Attempt {
	asked := req.Method + " " + req.URL.Path
	if err != nil {
		return retry.Attempt{What: req.URL.Host + " does not answer", Why: asked + ": " + scrub(err.Error(), nil)}
	}
	what := fmt.Sprintf("%s answers %d %s", req.URL.Host, resp.StatusCode, http.StatusText(resp.StatusCode))
	if wait := t.left(req); wait >= time.Second {
		what += " and asks to wait " + wait.Round(time.Second).String()
	}
	return retry.Attempt{What: what, Why: asked}
}

// passing tells whether a failure may pass, and notes the wait asked for.
func (t *retrier) passing(req *http.Request, resp *http.Response, err error) bool {
	if err != nil {
		return req.Context().Err() == nil && transient(err)
	}
	if !passingStatus(resp.StatusCode) {
		return false
	}
	if wait := retryAfter(resp.Header.Get("Retry-After"), time.Now()); wait > 0 {
		t.mu.Lock()
		t.notBefore[req.URL.Host] = time.Now().Add(wait)
		t.mu.Unlock()
	}
	return true
}

// await sleeps until the host may be asked again.
func (t *retrier) await(req *http.Request) error {
	wait := t.left(req)
	if wait <= 0 {
		return nil
	}
	return t.sleep(req.Context(), wait)
}

// left is how long the host asked not to be asked again.
func (t *retrier) left(req *http.Request) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.notBefore[req.URL.Host])
}

// repeatable tells whether a request can be sent a second time by itself. The
// PATCH that streams a blob cannot: the registry may have kept a part of it.
func repeatable(req *http.Request) bool {
	return req.Method != http.MethodPatch && (req.Body == nil || req.Body == http.NoBody || req.GetBody != nil)
}

func again(req *http.Request) (*http.Request, error) {
	next := req.Clone(req.Context())
	if req.GetBody == nil {
		return next, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("reading a request again: %w", err)
	}
	next.Body = body
	return next, nil
}

func drain(resp *http.Response) {
	if resp == nil {
		return
	}
	// A failure here only costs the connection.
	_, _ = io.CopyN(io.Discard, resp.Body, drainLimit)
	_ = resp.Body.Close()
}

// retryAfter reads a Retry-After header, in seconds or as an HTTP date (RFC
// 9110, 10.2.3). Nothing, nonsense and the past are 0.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		wait = time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

func backoff(try int) time.Duration {
	wait := firstBackoff
	for range try - 1 {
		wait = min(2*wait, lastBackoff)
	}
	return wait
}
