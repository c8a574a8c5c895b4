package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/dustin/go-humanize"
)

// resumer continues downloads that break: it asks again for the rest, with a
// Range header, or for the whole where the server knows none. The reader sees
// one uninterrupted body.
//
// It exists because neither go-containerregistry nor imgpkg reads a blob a
// second time, so that one lost connection would end a pull of gigabytes.
type resumer struct {
	next     http.RoundTripper
	registry Registry
}

// RoundTrip implements [http.RoundTripper].
func (t resumer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	// Only a whole answer of known length can be seen to be incomplete.
	if req.Method == http.MethodGet && resp.StatusCode == http.StatusOK && resp.ContentLength > 0 {
		resp.Body = &resumedBody{resumer: t, request: req, body: resp.Body, size: resp.ContentLength, etag: resp.Header.Get("ETag")}
	}
	return resp, nil
}

// resumedBody is the body of an answer over as many requests as it takes.
type resumedBody struct {
	resumer
	request *http.Request
	body    io.ReadCloser
	size    int64
	etag    string
	at      int64
	// tries counts breaks without progress between them, from begun on.
	tries int
	begun int64
}

// Read implements [io.Reader].
func (b *resumedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.at += int64(n)
	if err == nil || errors.Is(err, io.EOF) && b.at >= b.size {
		return n, err
	}
	if n > 0 {
		// The next read meets the same error.
		return n, nil
	}
	if err := b.resume(err); err != nil {
		return 0, err
	}
	return b.Read(p)
}

// Close implements [io.Closer].
func (b *resumedBody) Close() error { return b.body.Close() }

// resume returns broken, and what came of it, where the rest cannot be had.
func (b *resumedBody) resume(broken error) error {
	ctx := b.request.Context()
	if b.at > b.begun {
		b.tries, b.begun = 0, b.at
	}
	for {
		b.tries++
		if ctx.Err() != nil || !transient(broken) || b.tries >= b.registry.tries() {
			return broken
		}
		if err := b.registry.again(ctx, b.broke(), b.tries, scrub(broken.Error(), nil)); err != nil {
			return err
		}
		err := b.ask(ctx)
		if err == nil {
			return nil
		}
		broken = err
	}
}

// broke says where the download ended.
func (b *resumedBody) broke() string {
	return fmt.Sprintf("the download from %s broke off at %s of %s",
		b.request.URL.Host, humanize.Bytes(uint64(b.at)), humanize.Bytes(uint64(b.size)))
}

// ask sends the request again for what is still missing.
func (b *resumedBody) ask(ctx context.Context) error {
	req := b.request.Clone(ctx)
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-", b.at))
	if b.etag != "" {
		req.Header.Set("If-Range", b.etag)
	}
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return err
	}
	if err := b.position(resp); err != nil {
		drain(resp)
		return err
	}
	_ = b.body.Close()
	b.body = resp.Body
	return nil
}

// position checks that resp continues the same content at the right place.
func (b *resumedBody) position(resp *http.Response) error {
	rest := b.size - b.at
	switch {
	case resp.StatusCode == http.StatusPartialContent && resp.ContentLength == rest:
		return nil
	case resp.StatusCode == http.StatusOK && resp.ContentLength == b.size && resp.Header.Get("ETag") == b.etag:
		_, err := io.CopyN(io.Discard, resp.Body, b.at)
		return err
	}
	return &gaveUpError{tries: 1, status: resp.StatusCode, cause: fmt.Errorf("reading from byte %d on: the response is %s, with other content", b.at, resp.Status)}
}
