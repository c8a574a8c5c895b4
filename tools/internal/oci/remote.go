package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Remote is one repository of a registry. It is safe for concurrent use.
type Remote struct {
	repository name.Repository
	auth       authn.Authenticator
	base       http.RoundTripper
	registry   Registry
	shower     shower

	mu sync.Mutex
	// logins are transports with credentials, by scope (pull, or push and pull).
	logins map[string]http.RoundTripper
}

// Open answers with the repository that reference (HOST/PATH, without tag)
// names. It looks for credentials; the registry is not asked before the first
// use.
func Open(ctx context.Context, reference string, r Registry) (*Remote, error) {
	// Strict: a name without a host must not end up on Docker Hub.
	repository, err := name.NewRepository(reference, append(r.nameOptions(), name.StrictValidation)...)
	if err != nil {
		return nil, badReference(reference, "HOST/PATH", err)
	}
	return open(ctx, repository, r)
}

func open(ctx context.Context, repository name.Repository, r Registry) (*Remote, error) {
	auth, secrets, err := r.authenticator(ctx, repository)
	if err != nil {
		return nil, err
	}
	base, err := r.transport()
	if err != nil {
		return nil, err
	}
	return &Remote{
		repository: repository,
		auth:       auth,
		base:       base,
		registry:   r,
		shower:     shower{repository: repository, secrets: secrets},
		logins:     map[string]http.RoundTripper{},
	}, nil
}

func (r Registry) nameOptions() []name.Option {
	if r.Insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

// Name is HOST/PATH.
func (m *Remote) Name() string { return m.repository.Name() }

// Resolve finds what the repository holds under a tag or a digest
// ("sha256:…"), as media type, digest and size.
func (m *Remote) Resolve(ctx context.Context, tagOrDigest string) (v1.Descriptor, error) {
	ref, err := m.reference(tagOrDigest)
	if err != nil {
		return v1.Descriptor{}, err
	}
	got, err := m.get(ctx, ref)
	if err != nil {
		return v1.Descriptor{}, m.shower.show(ctx, "resolving "+tagOrDigest+" in", err)
	}
	return got.Descriptor, nil
}

func (m *Remote) get(ctx context.Context, ref name.Reference) (*remote.Descriptor, error) {
	puller, err := m.puller(ctx)
	if err != nil {
		return nil, err
	}
	return puller.Get(ctx, ref)
}

func (m *Remote) puller(ctx context.Context) (*remote.Puller, error) {
	options, err := m.connect(ctx, transport.PullScope)
	if err != nil {
		return nil, err
	}
	return remote.NewPuller(options...)
}

// connect are the options of requests that are logged in for a scope.
func (m *Remote) connect(ctx context.Context, scope string) ([]remote.Option, error) {
	login, err := m.login(ctx, scope)
	if err != nil {
		return nil, err
	}
	// The login's transport does all the retrying, so that of
	// go-containerregistry is set to a single try.
	return []remote.Option{
		remote.WithTransport(login),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithContext(ctx),
	}, nil
}

// login returns a transport with credentials, which it makes once for a scope.
func (m *Remote) login(ctx context.Context, scope string) (http.RoundTripper, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if login, ok := m.logins[scope]; ok {
		return login, nil
	}
	login, err := transport.NewWithContext(ctx, m.repository.Registry, m.auth, m.base, []string{m.repository.Scope(scope)})
	if err != nil {
		return nil, err
	}
	m.logins[scope] = login
	return login, nil
}

func (m *Remote) reference(tagOrDigest string) (name.Reference, error) {
	if strings.Contains(tagOrDigest, ":") {
		digest, err := name.NewDigest(m.repository.Name()+"@"+tagOrDigest, m.registry.nameOptions()...)
		if err != nil {
			return nil, fmt.Errorf("reading the digest %q: %w", tagOrDigest, err)
		}
		return digest, nil
	}
	return m.tag(tagOrDigest)
}

func (m *Remote) tag(tag string) (name.Tag, error) {
	if tag == "" {
		return name.Tag{}, errors.New("reading a tag: it is empty")
	}
	ref, err := name.NewTag(m.repository.Name()+":"+tag, m.registry.nameOptions()...)
	if err != nil {
		return name.Tag{}, fmt.Errorf("reading the tag %q (a \"+\" of a version is written as \"-\"): %w", tag, err)
	}
	return ref, nil
}
