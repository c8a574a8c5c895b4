package oci

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// httpsOnly refuses requests over plain HTTP to other machines, so that
// neither credentials nor content can be read or changed on the way.
//
// go-containerregistry itself uses plain HTTP for private addresses and names
// that end in .local, whatever the settings say. Every request passes here:
// those to a registry, those to the token server that its challenge names,
// redirects, and those of imgpkg.
type httpsOnly struct {
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t httpsOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, &plainHTTPError{host: req.URL.Host}
	}
	return t.next.RoundTrip(req)
}

// loopback reports whether host is this machine by its loopback interface.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// plainHTTPError is a request over plain HTTP that was not sent.
type plainHTTPError struct{ host string }

// Error implements error.
func (e *plainHTTPError) Error() string {
	return fmt.Sprintf("plain HTTP to %s is not allowed without --registry-insecure", e.host)
}
