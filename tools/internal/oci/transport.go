package oci

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	userAgent = "strake"
	// dialTimeout is shorter than usual, since a dial is tried several times:
	// a registry that is gone must be an error within a minute.
	dialTimeout = 10 * time.Second
)

// transport is the way to any registry: TLS as asked, bounded waits, retries,
// no plain HTTP unless it is allowed. Credentials are added above it.
func (r Registry) transport() (http.RoundTripper, error) {
	roots, err := r.roots()
	if err != nil {
		return nil, err
	}
	base := remote.DefaultTransport.(*http.Transport).Clone()
	base.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	if r.dial != nil {
		base.DialContext = r.dial
	}
	base.ResponseHeaderTimeout = r.ResponseHeaderTimeout
	if base.ResponseHeaderTimeout == 0 {
		base.ResponseHeaderTimeout = DefaultResponseHeaderTimeout
	}
	base.TLSClientConfig = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		RootCAs:            roots,
		InsecureSkipVerify: r.SkipVerify, // #nosec G402 -- the user asked for it
	}
	guarded := stallGuard{next: base, limit: r.StallTimeout, header: base.ResponseHeaderTimeout}
	if guarded.limit == 0 {
		guarded.limit = DefaultStallTimeout
	}
	var way http.RoundTripper = known{next: resumer{next: newRetrier(guarded, r), registry: r}}
	if !r.Insecure {
		way = httpsOnly{next: way}
	}
	return transport.NewUserAgent(way, userAgent), nil
}

// roots are the CAs to trust; nil means the system's.
func (r Registry) roots() (*x509.CertPool, error) {
	if len(r.CAFiles) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's CA certificates: %w", err)
	}
	for _, file := range r.CAFiles {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading CA certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("reading CA certificates: %s holds no certificate in PEM form", file)
		}
	}
	return pool, nil
}
