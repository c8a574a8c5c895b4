package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// Damage is something that a repository does not hold as it was pushed.
type Damage struct {
	// Kind is blob, manifest, attachment or tag.
	Kind string `json:"kind"`
	// Reference is a digest ("sha256:…"), or the tag.
	Reference string `json:"reference"`
	// What says in words what is wrong.
	What string `json:"what"`
	// Repaired reports that it was sent again and then read back whole.
	Repaired bool `json:"repaired"`
}

// VerifyReport says what a read-back found.
type VerifyReport struct {
	// Checked is what was read; Tags are not counted.
	Checked Tally    `json:"checked"`
	Damaged []Damage `json:"damaged"`
}

// check is one thing to read back, and the way to send it again.
type check struct {
	damage Damage
	look   func(context.Context) (what string, err error)
	repair func(context.Context) error
}

// Verify reads back all that a push of artifacts leaves in the repository:
// every blob and manifest is hashed, every attachment is looked for in its
// subject's list, every tag is followed. What is damaged is sent again and
// read once more. An error means that the repository could not be asked;
// damage alone is none.
func (m *Remote) Verify(ctx context.Context, artifacts []Artifact, o PushOptions) (VerifyReport, error) {
	report := VerifyReport{Damaged: []Damage{}}
	tags, err := m.tagsOf(artifacts)
	if err != nil {
		return report, err
	}
	work, err := planOf(artifacts)
	if err != nil {
		return report, err
	}
	p := m.newPush(o)
	if err := p.connect(ctx); err != nil {
		return report, m.show(ctx, "verifying", err)
	}
	// Blobs come before the manifests that name them: a registry refuses a
	// manifest whose parts are missing.
	for _, stage := range [][]check{p.blobChecks(work), p.manifestChecks(work), p.attachmentChecks(work), p.tagChecks(tags)} {
		damaged, err := p.verify(ctx, stage)
		report.Damaged = append(report.Damaged, damaged...)
		if err != nil {
			return report, m.show(ctx, "verifying", err)
		}
	}
	report.Checked = Tally{Blobs: len(work.blobs), Manifests: len(work.nodeOf)}
	for _, b := range work.blobs {
		report.Checked.Bytes += b.size
	}
	return report, nil
}

// verify runs checks, each with its repair.
func (p *push) verify(ctx context.Context, checks []check) ([]Damage, error) {
	found := make([]*Damage, len(checks))
	err := p.each(ctx, len(checks), func(ctx context.Context, i int) error {
		c := checks[i]
		what, err := c.look(ctx)
		if err != nil || what == "" {
			return err
		}
		c.damage.What = what
		found[i] = &c.damage
		if err := c.repair(ctx); err != nil {
			return fmt.Errorf("repairing the %s %s, which is damaged (%s): %w", c.damage.Kind, c.damage.Reference, what, err)
		}
		left, err := c.look(ctx)
		if left != "" {
			c.damage.What = left + ": " + keepsDamaged
		}
		c.damage.Repaired = err == nil && left == ""
		return err
	})
	var damaged []Damage
	for _, d := range found {
		if d != nil {
			damaged = append(damaged, *d)
		}
	}
	return damaged, err
}

func (p *push) blobChecks(work *plan) []check {
	var checks []check
	for _, b := range work.blobs {
		checks = append(checks, check{
			damage: Damage{Kind: "blob", Reference: b.digest.String()},
			look: func(ctx context.Context) (string, error) {
				return p.readBack(ctx, "blobs", b.digest.String(), b.digest.String(), b.size)
			},
			repair: func(ctx context.Context) error {
				tracker := progress.From(ctx).Track("sending a damaged blob again", b.size)
				defer tracker.Done()
				return p.upload(ctx, b, tracker)
			},
		})
	}
	return checks
}

// manifestChecks are those of images and indexes, children before parents.
func (p *push) manifestChecks(work *plan) []check {
	var checks []check
	for _, n := range append(slices.Clone(work.nodes), slices.Concat(work.attached...)...) {
		checks = append(checks, check{
			damage: Damage{Kind: "manifest", Reference: n.digest.String()},
			look:   func(ctx context.Context) (string, error) { return p.readManifest(ctx, n.digest.String(), n) },
			repair: func(ctx context.Context) error { return p.put(ctx, n) },
		})
	}
	return checks
}

func (p *push) attachmentChecks(work *plan) []check {
	var checks []check
	for _, n := range slices.Concat(work.attached...) {
		checks = append(checks, check{
			damage: Damage{Kind: "attachment", Reference: n.digest.String()},
			look: func(ctx context.Context) (string, error) {
				listed, err := p.listed(ctx, n)
				if listed || err != nil {
					return "", err
				}
				return "it is not listed for what it is attached to", nil
			},
			repair: func(ctx context.Context) error { return p.put(ctx, n) },
		})
	}
	return checks
}

func (p *push) tagChecks(tags []tagging) []check {
	var checks []check
	for _, t := range tags {
		checks = append(checks, check{
			damage: Damage{Kind: "tag", Reference: t.tag.TagStr()},
			look:   func(ctx context.Context) (string, error) { return p.readManifest(ctx, t.tag.TagStr(), t.node) },
			repair: func(ctx context.Context) error { return p.setTag(ctx, t) },
		})
	}
	return checks
}

func (p *push) readManifest(ctx context.Context, reference string, n *node) (string, error) {
	raw, err := n.manifest.RawManifest()
	if err != nil {
		return "", fmt.Errorf("reading the manifest %s: %w", n.digest, err)
	}
	return p.readBack(ctx, "manifests", reference, n.digest.String(), int64(len(raw)))
}

// readBack downloads one thing and says what is wrong with it, or nothing. It
// does not go through go-containerregistry, whose errors do not tell damage
// from a lost connection.
func (p *push) readBack(ctx context.Context, kind, reference, digest string, size int64) (what string, err error) {
	resp, err := p.get(ctx, kind, reference)
	if err != nil {
		return "", fmt.Errorf("reading back %s: %w", reference, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return "it is missing", nil
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("reading back %s: %w", reference, transport.CheckError(resp, http.StatusOK))
	}
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(resp.Body, size+1))
	switch got := "sha256:" + hex.EncodeToString(hash.Sum(nil)); {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case n > size:
		return fmt.Sprintf("it is larger than its %d bytes", size), nil
	case err != nil:
		return fmt.Sprintf("it ends after %d of %d bytes (%v)", n, size, err), nil
	case n != size:
		return fmt.Sprintf("it has %d bytes and not %d", n, size), nil
	case got != digest:
		return "its content is that of " + got, nil
	}
	return "", nil
}

// get asks for a blob or a manifest. A registry that fails on this one alone,
// since it cannot parse what it has, is as good as one that lacks it.
func (p *push) get(ctx context.Context, kind, reference string) (*http.Response, error) {
	repository := p.remote.repository
	address := fmt.Sprintf("%s://%s/v2/%s/%s/%s", repository.Scheme(), repository.RegistryStr(), repository.RepositoryStr(), kind, reference)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	accepted := []string{string(types.OCIManifestSchema1), string(types.OCIImageIndex), string(types.DockerManifestSchema2), string(types.DockerManifestList)}
	req.Header.Set("Accept", strings.Join(accepted, ","))
	client := http.Client{Transport: p.login}
	resp, err := client.Do(req)
	if unreadable(err) {
		return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody}, nil
	}
	return resp, err
}
