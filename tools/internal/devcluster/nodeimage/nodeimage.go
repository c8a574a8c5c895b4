// Package nodeimage makes a kind node image where none can be pulled: from
// Debian packages and Go modules alone. Kubernetes, containerd, etcd, CoreDNS,
// kube-router and the pause program are compiled from modules pinned in modules/;
// the system beneath them is debootstrap's; the scripts and units that make a
// container a node are kind's own, out of kind's module. Of kube-router only the
// part that enforces NetworkPolicies runs. kube-network-policies, which kind's
// images use, needs the kernel's nft_queue, which not every host has; kube-router
// needs iptables and ipset.
//
// It must not know clusters, registries or which container engine it talks
// to: an [Engine] runs that engine's command line. Start reading at [Build],
// whose steps are the whole story.
package nodeimage

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// Engine runs the command line of a container engine that understands
// docker's verbs: image, load, run, exec, commit, rm.
type Engine interface {
	// Run runs the engine with args; stdin and stdout may be nil. The error
	// carries what the engine wrote to its standard error.
	Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error
}

// Options say where parts of the image that Go modules do not carry come from.
type Options struct {
	// Mirror is the Debian mirror's URL; empty means the one that the host's
	// own apt sources name, else Debian's.
	Mirror string
}

// Repository and BaseRepository are the local names of the images made here:
// the node image, and the base that it is a layer on. localhost/ keeps
// engines from looking for them in a registry.
const (
	Repository     = "localhost/strake/node"
	BaseRepository = "localhost/strake/node-base"
)

// The folders of the cache that are filled here.
const (
	ProgramsCache = "node-programs"
	SystemCache   = "node-system"
	ScratchCache  = "node"
)

// CacheKinds are the folders of the cache that [Build] fills.
func CacheKinds() []string { return []string{ProgramsCache, SystemCache, ScratchCache} }

// Reference is the name under which [Build] keeps the image; its tag is the
// hash of all the image's inputs.
func Reference() (string, error) {
	key, err := inputsKey()
	return Repository + ":" + key, err
}

// Build answers with the reference of a node image in the engine's storage,
// and makes it if it is not there. The reference's tag is the hash of all the
// inputs, so a second call only asks the engine. It needs root, debootstrap,
// tar and the go command.
func Build(ctx context.Context, engine Engine, o Options) (string, error) {
	b, err := newBuild(engine, o)
	if err != nil {
		return "", err
	}
	if b.present(ctx) {
		return b.reference, nil
	}
	unlock, err := cache.Lock(ctx, b.lock)
	if err != nil {
		return "", err
	}
	defer unlock()
	if b.present(ctx) { // another run made it while we waited
		return b.reference, nil
	}
	return b.reference, b.run(ctx)
}

// step is one part of making the image, with what a person is told of it.
type step struct {
	says string
	do   func(context.Context) error
}

func (b *build) steps() []step {
	return []step{
		{"compiling the node's programs and installing its Debian packages (minutes the first time)", b.prepare},
		{"assembling the node's base image", b.loadBase},
		{"assembling the control plane's images", b.assembleImages},
		{"importing them into the node", b.importImages},
		{"keeping the node image", b.commit},
		{"removing node images of other inputs", b.prune},
	}
}

// prepare compiles beside the download of Debian's packages. It looks for the
// go command first, so that a missing one ends the step before a download.
func (b *build) prepare(ctx context.Context) error {
	if _, err := gotool.Command(ctx, "version"); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.installSystem(ctx) })
	group.Go(func() error { return b.compile(ctx) })
	return group.Wait()
}

func (b *build) run(ctx context.Context) error {
	defer b.clean(context.WithoutCancel(ctx))
	for _, s := range b.steps() {
		progress.From(ctx).Step("node image: %s", s.says)
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("making a node image from source: %s: %w", s.says, err)
		}
	}
	return nil
}

// present asks the engine whether the finished image is in its storage.
func (b *build) present(ctx context.Context) bool {
	return b.engine.Run(ctx, nil, nil, "image", "inspect", b.reference) == nil
}
