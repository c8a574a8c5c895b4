package oci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// passingStatus are the answers that a later try may not get; 499 and 522
// are those of nginx and Cloudflare for a connection that broke behind them.
func passingStatus(code int) bool {
	return slices.Contains([]int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 499, 522,
	}, code)
}

// transient tells whether a failure to talk to a registry may pass. All may
// but those that a second try can only repeat.
func transient(err error) bool {
	var (
		untrusted *tls.CertificateVerificationError
		unknown   x509.UnknownAuthorityError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		dns       *net.DNSError
		file      *fs.PathError
		done      *gaveUpError
		plain     *plainHTTPError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &untrusted), errors.As(err, &unknown),
		errors.As(err, &record), errors.As(err, &alert), errors.As(err, &file), errors.As(err, &done), errors.As(err, &plain):
		return false
	case errors.As(err, &dns):
		return !dns.IsNotFound
	}
	return true
}

// gaveUpError is what is left after the last try. It hides its cause from
// errors.Is, since go-containerregistry would take, say, io.EOF for a reason
// to begin again.
type gaveUpError struct {
	tries  int
	status int // 0: no answer at all
	cause  error
}

func gaveUp(tries int, resp *http.Response, err error) error {
	if err != nil {
		return &gaveUpError{tries: tries, cause: err}
	}
	defer drain(resp)
	return &gaveUpError{tries: tries, status: resp.StatusCode, cause: transport.CheckError(resp)}
}

// Error implements error.
func (e *gaveUpError) Error() string {
	if e.tries == 1 {
		return e.cause.Error()
	}
	return fmt.Sprintf("%v (tried %d times)", e.cause, e.tries)
}
