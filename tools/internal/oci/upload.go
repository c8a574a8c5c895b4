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

// upload sends one blob. A stream that breaks is begun again from the start
// in a new upload session, which only this level can do.
func (p *push) upload(ctx context.Context, b *blob, tracker progress.Tracker) error {
	layer := &meteredLayer{Layer: b.layer, tracker: tracker}
	var err error
	for try := 1; ; try++ {
		err = p.pusher.Upload(sendAnyway(ctx), p.remote.repository, layer)
		if err == nil || try >= p.remote.registry.tries() || ctx.Err() != nil || !resumable(err) {
			break
		}
		what := fmt.Sprintf("sending the blob %s to %s broke off", b.digest, p.remote.repository.RegistryStr())
		if err := p.remote.registry.again(ctx, what, try, scrub(err.Error(), p.remote.shower.secrets)); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("sending the blob %s (%d bytes): %w", b.digest, b.size, err)
	}
	if err := p.checkReplaced(ctx, b); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Uploaded.Blobs++
	p.report.Uploaded.Bytes += b.size
	return nil
}

// checkReplaced asks again for a blob that the registry had with another size:
// some registries keep what they have under a digest, however damaged.
func (p *push) checkReplaced(ctx context.Context, b *blob) error {
	if b.there < 0 {
		return nil
	}
	if err := p.askBlob(ctx, b); err != nil {
		return err
	}
	if !b.present() {
		return fmt.Errorf("the blob %s is damaged in the registry, which has %d bytes instead of %d: %s", b.digest, b.there, b.size, keepsDamaged)
	}
	return nil
}

// keepsDamaged is the way out where a registry does not take content again.
const keepsDamaged = "the registry kept its copy when the content was sent again; delete it there and run the command again, or push to another repository"

// resumable reports whether a blob's upload may work from the start: the
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
	sent    atomic.Int64
}

// Compressed begins the layer; what an earlier reader sent is taken back.
func (l *meteredLayer) Compressed() (io.ReadCloser, error) {
	stream, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
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
