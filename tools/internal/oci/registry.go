package oci

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"time"

	imgpkgregistry "carvel.dev/imgpkg/pkg/imgpkg/registry"
	"carvel.dev/imgpkg/pkg/imgpkg/registry/auth"
	imgpkg "carvel.dev/imgpkg/pkg/imgpkg/v1"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/strake-dev/strake/tools/internal/retry"
)

// Registry says how registries are reached. Its zero value is safe: TLS with
// the system's CAs and imgpkg's keychain ($IMGPKG_REGISTRY_*, then $IMGPKG_*,
// then Docker's config). However it is printed, its secrets are not.
type Registry struct {
	// CAFiles are PEM files trusted beside the system's CAs.
	CAFiles []string
	// Insecure allows plain HTTP where HTTPS does not answer. Without it, only
	// this machine's loopback addresses may be reached by plain HTTP.
	Insecure bool
	// SkipVerify accepts any certificate.
	SkipVerify bool
	// Username and Password, or Token (a bearer token), or Anon (no
	// credentials at all) take Docker's config's place.
	Username string
	Password string
	Token    string
	Anon     bool
	// Retries is how often a failed request is sent again; 0 means
	// [DefaultRetries], less means never.
	Retries int
	// ResponseHeaderTimeout bounds the wait for the beginning of an answer;
	// 0 means [DefaultResponseHeaderTimeout].
	ResponseHeaderTimeout time.Duration
	// StallTimeout is how long an upload or a download may go without moving
	// a byte before it is begun again; 0 means [DefaultStallTimeout].
	StallTimeout time.Duration

	// sleep waits between tries; nil means the clock. Tests replace it.
	sleep func(context.Context, time.Duration) error
	// dial connects; nil means the network. Tests replace it.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// perHost leaves out credentials of the environment that name no host.
	perHost bool
}

// What a zero [Registry] does; the first two are imgpkg's own.
const (
	DefaultRetries               = 5
	DefaultResponseHeaderTimeout = 30 * time.Second
	DefaultStallTimeout          = time.Minute
)

// String tells the settings apart, without the secrets.
func (r Registry) String() string {
	credentials := "keychain"
	switch {
	case r.Username != "":
		credentials = "user and password"
	case r.Token != "":
		credentials = "token"
	case r.Anon:
		credentials = "none"
	}
	return fmt.Sprintf("registry(credentials: %s, insecure: %t, skip verify: %t, CA files: %v)",
		credentials, r.Insecure, r.SkipVerify, r.CAFiles)
}

// GoString keeps %#v from printing secrets.
func (r Registry) GoString() string { return r.String() }

// MarshalText keeps encoders and structured loggers from printing secrets.
func (r Registry) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// tries is how often one request is sent at most.
func (r Registry) tries() int {
	switch {
	case r.Retries == 0:
		return DefaultRetries + 1
	case r.Retries < 0:
		return 1
	}
	return r.Retries + 1
}

// again says that a try of what the transport cannot repeat failed, and pauses before
// the next one. Why holds no credentials.
func (r Registry) again(ctx context.Context, what string, failed int, why string) error {
	return retry.Attempt{
		What: what, Why: why, Failed: failed, Max: r.tries(), Wait: backoff(failed),
	}.Pause(ctx, r.sleep)
}

// options are the settings as imgpkg takes them, its environment included.
// Retrying is left to the transport: imgpkg's own does not wait as asked.
func (r Registry) options() imgpkgregistry.Opts {
	lookup := os.LookupEnv
	if r.perHost {
		lookup = lookupPerHost
	}
	return imgpkg.OptsFromEnv(imgpkgregistry.Opts{
		CACertPaths: r.CAFiles,
		VerifyCerts: !r.SkipVerify,
		Insecure:    r.Insecure,
		Username:    r.Username,
		Password:    r.Password,
		Token:       r.Token,
		Anon:        r.Anon,
		RetryCount:  1,
		EnvironFunc: os.Environ,
	}, lookup)
}

// lookupPerHost is [os.LookupEnv] without the credentials that imgpkg sends to any host.
func lookupPerHost(name string) (string, bool) {
	switch name {
	case "IMGPKG_USERNAME", "IMGPKG_PASSWORD", "IMGPKG_TOKEN", "IMGPKG_ANON":
		return "", false
	}
	return os.LookupEnv(name)
}

// authenticator finds the credentials for a repository, and which words must
// therefore never be shown.
func (r Registry) authenticator(ctx context.Context, target authn.Resource) (authn.Authenticator, []string, error) {
	o := r.options()
	keychain, err := imgpkgregistry.Keychain(auth.KeychainOpts{
		Username:                o.Username,
		Password:                o.Password,
		Token:                   o.Token,
		Anon:                    o.Anon,
		EnableIaasAuthProviders: o.EnableIaasAuthProviders,
		ActiveKeychains:         o.ActiveKeychains,
	}, o.EnvironFunc)
	if err != nil {
		return nil, nil, fmt.Errorf("setting up the registry keychain: %w", err)
	}
	found, err := authn.Resolve(ctx, keychain, target)
	if err != nil {
		return nil, nil, fmt.Errorf("looking for credentials of %s: %w", target.RegistryStr(), err)
	}
	config, err := authn.Authorization(ctx, found)
	if err != nil {
		return nil, nil, fmt.Errorf("reading credentials of %s: %w", target.RegistryStr(), err)
	}
	return found, secretsOf(config), nil
}

func secretsOf(c *authn.AuthConfig) []string {
	secrets := []string{c.Password, c.Auth, c.IdentityToken, c.RegistryToken}
	if c.Password != "" {
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password)))
	}
	return secrets
}
