package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// shownError is an error as people may see it: without credentials and with
// the way out. What it was made from stays hidden, since an *url.Error inside
// holds whole URLs; only a cancelled context is still seen by errors.Is.
type shownError struct {
	message string
	ended   error
}

// Error implements error.
func (e *shownError) Error() string { return e.message }

// Unwrap answers with the context's error, if that was the cause.
func (e *shownError) Unwrap() error { return e.ended }

// shower turns errors of the libraries into errors for people.
type shower struct {
	repository name.Repository
	secrets    []string
}

// show says what was being done ("pushing to"), why it failed and, where it
// is known, the way out.
func (s shower) show(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	message := fmt.Sprintf("%s %s: %s", doing, s.repository.Name(), scrub(err.Error(), s.secrets))
	if ctx.Err() != nil {
		return &shownError{message: message, ended: ctx.Err()}
	}
	if advice := s.advice(err); advice != "" {
		message += ": " + advice
	}
	return &shownError{message: message}
}

// advice is the way out of a failure.
func (s shower) advice(err error) string {
	host := s.repository.RegistryStr()
	var untrusted *tls.CertificateVerificationError
	var stalled *stalledError
	switch code := statusOf(err); {
	case errors.As(err, &untrusted):
		return "trust its CA with --registry-ca-cert-path"
	case code == http.StatusUnauthorized:
		return fmt.Sprintf("%s refuses the credentials; log in with \"docker login %s\" or use --registry-username and --registry-password", host, host)
	case code == http.StatusForbidden:
		return fmt.Sprintf("%s does not allow this; ask for the right to push, or log in with another account (\"docker login %s\")", host, host)
	case code == http.StatusMethodNotAllowed:
		return host + " is read-only; push to a registry that accepts writes"
	case code == http.StatusNotFound:
		return "it does not exist there, or only for others; check the name, or log in with \"docker login " + host + "\""
	case passingStatus(code):
		return "try again later; what is there already is not sent twice"
	// imgpkg passes on what such an error says, and not the error.
	case strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()):
		return host + " speaks plain HTTP; serve it over TLS, or allow plain HTTP with --registry-insecure"
	case errors.As(err, &stalled):
		return "try again; --registry-stall-timeout gives a slow connection more time"
	case unanswered(err):
		return "check that " + host + " is right, runs and can be reached"
	}
	return ""
}

// statusOf is the HTTP status of a registry's refusal, or 0.
func statusOf(err error) int {
	var refused *transport.Error
	var done *gaveUpError
	switch {
	case errors.As(err, &done):
		return done.status
	case errors.As(err, &refused):
		return refused.StatusCode
	}
	return 0
}

// unanswered tells whether nobody was there to answer.
func unanswered(err error) bool {
	var done *gaveUpError
	return errors.As(err, &done) && done.status == 0
}

// badReference says what was wanted. A reference that may hold credentials is
// not repeated.
func badReference(reference, want string, err error) error {
	at := strings.LastIndex(reference, "@")
	if strings.Contains(reference, "://") || (at >= 0 && !strings.HasPrefix(reference[at:], "@sha256:")) {
		return fmt.Errorf("reading a registry reference: expected %s, without scheme and credentials", want)
	}
	return fmt.Errorf("reading the registry reference %q (%s is wanted): %w", reference, want, err)
}

var (
	// userinfo is NAME:PASSWORD@ of a URL, query what follows its path: upload
	// sessions and signed links keep tokens there.
	userinfo = regexp.MustCompile(`://[^/\s"'@]+@`)
	query    = regexp.MustCompile(`(https?://[^\s"'?]*)\?[^\s"']*`)
)

// scrub removes credentials from a text.
func scrub(text string, secrets []string) string {
	text = userinfo.ReplaceAllString(text, "://")
	text = query.ReplaceAllString(text, "$1")
	for _, secret := range secrets {
		// Words this short would blank out half of the text and are no secrets.
		if len(secret) > 3 {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}
