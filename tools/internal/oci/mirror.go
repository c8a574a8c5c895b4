package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// Mirror is a repository that may hold, under their digests, images that would be made
// otherwise, as [Remote.Push] leaves them. It need not be trusted: what it sends is
// hashed while it is read, and no more is read than the digests allow.
//
// A mirror that does not answer, or not to us, is left out from then on, so that the
// images of one run do not wait for it one by one. It is safe for concurrent use.
type Mirror struct {
	name     string
	registry Registry

	mu         sync.Mutex
	repository *Remote
	// has are the answers of [Mirror.Has].
	has map[string]bool
	// out is why the mirror is no longer asked, and told that somebody heard of it.
	out  error
	told bool
}

// ErrLeftOut is the error of a mirror that is no longer asked. [Mirror.Fetch] reports why,
// once.
var ErrLeftOut = errors.New("the mirror is left out")

// NewMirror returns the mirror HOST/PATH, which is not asked before the first use. It is
// reached as r says, but with the credentials of its host in the keychain alone: those that
// r names, or that the environment has for any host, are meant for another registry.
func NewMirror(repository string, r Registry) *Mirror {
	r.Username, r.Password, r.Token, r.Anon, r.perHost = "", "", "", false, true
	return &Mirror{name: repository, registry: r, has: map[string]bool{}}
}

// Name is HOST/PATH.
func (m *Mirror) Name() string { return m.name }

// LeftOut is why the mirror is no longer asked, or nil. The caller reports it.
func (m *Mirror) LeftOut() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = m.told || m.out != nil
	return m.out
}

// Has reports whether the mirror names something under a digest. It is no promise that
// all of it is there and whole, and a mirror that cannot be asked has nothing.
func (m *Mirror) Has(ctx context.Context, digest string) bool {
	m.mu.Lock()
	has, asked := m.has[digest]
	m.mu.Unlock()
	if asked {
		return has
	}
	err := m.ask(ctx, func(r *Remote) error { return r.head(ctx, digest) })
	if ctx.Err() == nil {
		m.mu.Lock()
		m.has[digest] = err == nil
		m.mu.Unlock()
	}
	return err == nil
}

// Fetch hands keep the image index under a digest, and what is attached to parts of it,
// by digest; people know the image by its name. The bytes come while keep reads them, and have their digests or are an
// error. An error is [ErrLeftOut] or says why the image cannot be had.
func (m *Mirror) Fetch(ctx context.Context, name, digest string, attached []string, keep func(v1.ImageIndex, []v1.Image) error) error {
	err := m.ask(ctx, func(r *Remote) error {
		tracker := progress.From(ctx).Track("fetching "+name+" from "+m.name, 0)
		defer tracker.Done()
		ctx := metering(ctx, tracker)
		root, err := r.byDigest(ctx, digest)
		if err != nil {
			return err
		}
		index, err := root.ImageIndex()
		if err != nil {
			return err
		}
		var extras []v1.Image
		for _, d := range attached {
			extra, err := r.byDigest(ctx, d)
			if statusOf(err) == http.StatusNotFound {
				return fmt.Errorf("it has the image, and not what is attached to it (%s); \"strake push\" sends both", d)
			}
			if err != nil {
				return err
			}
			img, err := extra.Image()
			if err != nil {
				return err
			}
			extras = append(extras, img)
		}
		return keep(index, extras)
	})
	if errors.Is(err, ErrLeftOut) {
		m.tell(ctx)
	}
	return err
}

func (m *Mirror) tell(ctx context.Context) {
	m.mu.Lock()
	told, out := m.told, m.out
	m.told = true
	m.mu.Unlock()
	if !told {
		progress.From(ctx).Step("warning: the mirror %s is left out: %v", m.name, out)
	}
}

// ask does something with the repository, and leaves the mirror out from then on where
// the failure would meet all other images, too.
func (m *Mirror) ask(ctx context.Context, do func(*Remote) error) error {
	r, err := m.open(ctx)
	if err != nil {
		return err
	}
	err = do(r)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case statusOf(err) == http.StatusNotFound:
		return errors.New("it does not have the image, or not all of it")
	case !failsAlways(err):
		return errors.New(scrub(err.Error(), r.shower.secrets))
	}
	return m.leaveOut(r.shower.show(ctx, "asking the mirror", err))
}

// open returns the repository, or [ErrLeftOut].
func (m *Mirror) open(ctx context.Context) (*Remote, error) {
	m.mu.Lock()
	r, out := m.repository, m.out
	m.mu.Unlock()
	if out != nil {
		return nil, ErrLeftOut
	}
	if r != nil {
		return r, nil
	}
	r, err := Open(ctx, m.name, m.registry)
	if err != nil {
		return nil, m.leaveOut(err)
	}
	r.base = metered{next: r.base, window: cmp.Or(m.registry.StallTimeout, DefaultStallTimeout)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.repository == nil {
		m.repository = r
	}
	return m.repository, nil
}

// leaveOut keeps the first reason.
func (m *Mirror) leaveOut(why error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out == nil {
		m.out = why
	}
	return ErrLeftOut
}

// failsAlways tells whether a failure is the mirror's and not that of one image: it was
// not reached, does not let us in, stops in the middle or is too slow.
func failsAlways(err error) bool {
	var unsent *url.Error
	var stalled *stalledError
	var slow *slowError
	code := statusOf(err)
	return unanswered(err) || errors.As(err, &unsent) || errors.As(err, &stalled) || errors.As(err, &slow) ||
		passingStatus(code) || code == http.StatusUnauthorized || code == http.StatusForbidden
}

// head asks whether a manifest is there.
func (m *Remote) head(ctx context.Context, digest string) error {
	puller, err := m.puller(ctx)
	if err != nil {
		return err
	}
	_, err = puller.Head(ctx, m.repository.Digest(digest))
	return err
}

// byDigest reads a manifest; its parts are read under ctx when they are needed.
func (m *Remote) byDigest(ctx context.Context, digest string) (*remote.Descriptor, error) {
	ref, err := name.NewDigest(m.repository.Name()+"@"+digest, m.registry.nameOptions()...)
	if err != nil {
		return nil, fmt.Errorf("reading the digest %q: %w", digest, err)
	}
	got, err := m.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	// The digest covers what the manifest says of itself, and not the header of the answer.
	var manifest struct {
		MediaType types.MediaType `json:"mediaType"`
	}
	if err := json.Unmarshal(got.Manifest, &manifest); err != nil {
		return nil, fmt.Errorf("reading the manifest %s: %w", digest, err)
	}
	got.MediaType = manifest.MediaType
	return got, nil
}
