package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// PushOptions change how [Remote.Push] works.
type PushOptions struct {
	// Jobs is how many requests run at once; 0 means [DefaultJobs].
	Jobs int
	// MoveTags lets tags that are there move to other content. Without it a
	// push that would move one fails with a [*TagsTakenError], before it sends
	// anything.
	MoveTags bool
}

// DefaultJobs is the number of requests at once.
const DefaultJobs = 4

// PushReport says what a push did.
type PushReport struct {
	// Uploaded were sent, Skipped were there already.
	Uploaded Tally `json:"uploaded"`
	Skipped  Tally `json:"skipped"`
	// Tagged are the tags that were set or moved, sorted. Those that were
	// right before are not among them.
	Tagged []string `json:"tagged"`
}

// Tally counts blobs, their bytes and manifests.
type Tally struct {
	Blobs     int   `json:"blobs"`
	Bytes     int64 `json:"bytes"`
	Manifests int   `json:"manifests"`
}

// push is one run of [Remote.Push].
type push struct {
	remote  *Remote
	options []remote.Option
	login   http.RoundTripper
	puller  *remote.Puller
	pusher  *remote.Pusher
	jobs    int
	move    bool

	mu     sync.Mutex
	report PushReport
}

// Push sends artifacts: all blobs first, then manifests from the leaves up,
// then what is attached to them, then tags. A push that fails or is killed
// therefore leaves no tag on something incomplete, and the next one sends
// only what is missing, or is there with another size than it must have.
// Layers are streamed, never held in memory.
//
// Failures that may pass are tried again as r.Retries of [Open] allows, with
// the waits that the registry asks for. The report is right also when an
// error comes with it.
func (m *Remote) Push(ctx context.Context, artifacts []Artifact, o PushOptions) (PushReport, error) {
	tags, err := m.tagsOf(artifacts)
	if err != nil {
		return PushReport{}, err
	}
	p := m.newPush(o)
	err = p.run(ctx, artifacts, tags)
	slices.Sort(p.report.Tagged)
	return p.report, m.show(ctx, "pushing to", err)
}

// show is [shower.show], except that callers still see which tags are taken.
func (m *Remote) show(ctx context.Context, doing string, err error) error {
	if taken := (*TagsTakenError)(nil); errors.As(err, &taken) {
		return taken
	}
	return m.shower.show(ctx, doing, err)
}

func (m *Remote) newPush(o PushOptions) *push {
	p := &push{remote: m, jobs: o.Jobs, move: o.MoveTags, report: PushReport{Tagged: []string{}}}
	if p.jobs <= 0 {
		p.jobs = DefaultJobs
	}
	return p
}

func (p *push) run(ctx context.Context, artifacts []Artifact, tags []tagging) error {
	if err := p.connect(ctx); err != nil {
		return err
	}
	if err := p.checkTags(ctx, tags); err != nil {
		return err
	}
	work, err := planOf(artifacts)
	if err != nil {
		return err
	}
	if err := p.survey(ctx, work); err != nil {
		return err
	}
	p.report.Skipped = work.skipped()
	if err := p.uploadAll(ctx, work); err != nil {
		return err
	}
	for _, level := range work.levels() {
		if err := p.each(ctx, len(level), func(ctx context.Context, i int) error { return p.put(ctx, level[i]) }); err != nil {
			return err
		}
	}
	if err := p.attach(ctx, work.attached); err != nil {
		return err
	}
	return p.each(ctx, len(tags), func(ctx context.Context, i int) error { return p.setTag(ctx, tags[i]) })
}

func (p *push) connect(ctx context.Context) (err error) {
	if p.login, err = p.remote.login(ctx, transport.PushScope); err != nil {
		return err
	}
	if p.options, err = p.remote.connect(ctx, transport.PushScope); err != nil {
		return err
	}
	if p.puller, err = remote.NewPuller(p.options...); err != nil {
		return err
	}
	p.pusher, err = remote.NewPusher(p.options...)
	return err
}

// each runs f for 0…n-1, at most jobs at once, and ends at the first error.
func (p *push) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.jobs)
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(ctx, i)
		})
	}
	return group.Wait()
}

func (p *push) uploadAll(ctx context.Context, work *plan) error {
	blobs, bytes := work.missing()
	if len(blobs) == 0 {
		return nil
	}
	tracker := progress.From(ctx).Track("pushing to "+p.remote.Name(), bytes)
	defer tracker.Done()
	return p.each(ctx, len(blobs), func(ctx context.Context, i int) error {
		return p.upload(ctx, blobs[i], tracker)
	})
}

func (p *push) put(ctx context.Context, n *node) error {
	ref := p.remote.repository.Digest(n.digest.String())
	if err := p.pusher.Put(ctx, ref, n.manifest); err != nil {
		return fmt.Errorf("sending the manifest %s: %w", n.digest, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Uploaded.Manifests++
	return nil
}
