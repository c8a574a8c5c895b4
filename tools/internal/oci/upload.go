package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// upload sends one blob, unless it is there. A stream that breaks is begun
// again from the start in a new upload session, which only this level can do.
func (p *push) upload(ctx context.Context, blob v1.Layer, tracker progress.Tracker) error {
	digest, size, err := measure(blob)
	if err != nil {
		return err
	}
	layer := &meteredLayer{Layer: blob, tracker: tracker}
	for try := 1; ; try++ {
		err = p.pusher.Upload(ctx, p.remote.repository, layer)
		if err == nil || try >= p.remote.registry.tries() || ctx.Err() != nil || !resumable(err) {
			break
		}
		if err := p.remote.sleep(ctx, backoff(try)); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("sending the blob %s (%d bytes): %w", digest, size, err)
	}
	p.count(layer, size)
	return nil
}

func (p *push) count(layer *meteredLayer, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tally := &p.report.Uploaded
	if !layer.opened.Load() {
		// Nobody read it: the registry had it.
		tally = &p.report.Skipped
		layer.tracker.Add(size)
	}
	tally.Blobs++
	tally.Bytes += size
}

// resumable tells whether a blob's upload may work from the start: the
// connection broke, the registry is busy, or it forgot the upload session.
func resumable(err error) bool {
	var refused *transport.Error
	var failed *url.Error
	switch {
	case errors.As(err, &refused):
		return passingStatus(refused.StatusCode) || forgotten(refused)
	case errors.As(err, &failed):
		return transient(err)
	}
	return false
}

func forgotten(err *transport.Error) bool {
	for _, e := range err.Errors {
		if e.Code == transport.BlobUploadUnknownErrorCode || e.Code == transport.BlobUploadInvalidErrorCode {
			return true
		}
	}
	return false
}

// meteredLayer reports what is read of a layer as sent.
type meteredLayer struct {
	v1.Layer
	tracker progress.Tracker
	opened  atomic.Bool
	sent    atomic.Int64
}

// Compressed begins the layer; what an earlier reader sent is taken back.
func (l *meteredLayer) Compressed() (io.ReadCloser, error) {
	stream, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	l.opened.Store(true)
	if before := l.sent.Swap(0); before != 0 {
		l.tracker.Add(-before)
	}
	return &meteredReader{ReadCloser: stream, layer: l}, nil
}

type meteredReader struct {
	io.ReadCloser
	layer *meteredLayer
}

// Read counts what it reads.
func (r *meteredReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.layer.sent.Add(int64(n))
	r.layer.tracker.Add(int64(n))
	return n, err
}
