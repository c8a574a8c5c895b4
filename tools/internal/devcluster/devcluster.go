// Package devcluster gives a person or a test a Kubernetes cluster to work
// on, and a registry that its nodes, its pods and the person all reach.
//
// The cluster is one of kind's, on docker, podman or nerdctl, or any that a
// kubeconfig names. The package finds out what the machine allows before it
// starts anything, adapts, and otherwise says in one list what is missing
// and how to get it. It must not know packages, bundles or KEDA: what is put
// on the cluster is the caller's, by the packages kapp and install beside
// this one.
//
// Start reading at [Up], whose steps are the whole story.
package devcluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// DefaultName is the cluster's name where none is given; kubectl's context
// is then kind-strake.
const DefaultName = "strake"

// How the node image is chosen, beside any image reference.
const (
	// NodeImageAuto pulls kind's published image where that is possible, and
	// makes one from source elsewhere.
	NodeImageAuto = "auto"
	// NodeImagePublished and NodeImageSource allow only the one.
	NodeImagePublished = "published"
	NodeImageSource    = "source"
)

// Options say which cluster is wanted. The zero value is a kind cluster
// called strake on the first engine that answers.
type Options struct {
	// Name is the kind cluster's.
	Name string
	// Kubeconfig is the file that the cluster is written to or read from;
	// empty means kubectl's own ($KUBECONFIG, else ~/.kube/config).
	Kubeconfig string
	// Context names an existing cluster of the kubeconfig, which is then
	// used as it is; Registry must be given with it.
	Context string
	// Registry is HOST:PORT of a registry that an existing cluster and this
	// machine reach under the same name.
	Registry string
	// Engine is docker, podman or nerdctl; empty takes the first that answers.
	Engine string
	// Timeout bounds all of [Up]; 0 means no bound but the context's.
	Timeout time.Duration
	// AllowInstall lets [Up] install missing Debian packages, as root.
	AllowInstall bool
	// NodeImage is one of the constants above or an image reference;
	// empty means auto.
	NodeImage string
	// Recreate replaces an existing cluster of the name.
	Recreate bool
	// Executable is the program that the registry's container runs as
	// "EXECUTABLE registry serve --addr :5000 --dir /data"; empty means the
	// running one. It must be a static Linux program.
	Executable string
	// RegistryKey names what of Executable serves a registry: programs of one
	// key are interchangeable there, so the registry of an older one is kept.
	// Empty means that every program is another one.
	RegistryKey string
	// Images makes [Down] remove node images and their cached parts too.
	Images bool
}

// Result is a cluster that is ready to use.
type Result struct {
	// Kubeconfig and Context reach the cluster.
	Kubeconfig string `json:"kubeconfig" yaml:"kubeconfig"`
	Context    string `json:"context" yaml:"context"`
	// Engine runs the cluster; empty for an existing cluster.
	Engine string `json:"engine,omitempty" yaml:"engine,omitempty"`
	// NodeImage is what the nodes run, and NodeImageReason says why that one.
	NodeImage       string `json:"nodeImage,omitempty" yaml:"nodeImage,omitempty"`
	NodeImageReason string `json:"nodeImageReason,omitempty" yaml:"nodeImageReason,omitempty"`
	// RegistryPush is HOST:PORT of the registry as this machine reaches it,
	// RegistryCluster as nodes and pods do. Both speak plain HTTP.
	RegistryPush    string `json:"registryPush" yaml:"registryPush"`
	RegistryCluster string `json:"registryCluster" yaml:"registryCluster"`
	// NeedsStorage tells that nothing on the cluster binds
	// PersistentVolumeClaims: the node image from source has no provisioner.
	NeedsStorage bool `json:"needsStorage,omitempty" yaml:"needsStorage,omitempty"`
	// Created tells a new cluster from one that was there.
	Created bool `json:"created" yaml:"created"`
}

// step is one part of bringing a cluster up, with what a person is told.
type step struct {
	says string
	do   func(context.Context) error
	// fresh steps are left out when a healthy cluster is there.
	fresh bool
}

// Up answers with a ready cluster, and does only what is left to do: after an
// interruption, or on a cluster that is there, it can be called again.
// Parallel calls for one name wait for each other. If the machine lacks
// something, the error is a [*MissingError].
func Up(ctx context.Context, o Options) (*Result, error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout,
			fmt.Errorf("the cluster was not ready within %s: a longer timeout helps a slow machine", o.Timeout))
		defer cancel()
	}
	s, err := newSession(o)
	if err != nil {
		return nil, err
	}
	unlock, err := cache.Lock(ctx, s.lockFile)
	if err != nil {
		return nil, explain(ctx, err)
	}
	defer unlock()
	if err := s.run(ctx, s.upSteps()); err != nil {
		return nil, explain(ctx, err)
	}
	s.result.NeedsStorage = strings.HasPrefix(s.result.NodeImage, nodeimage.Repository+":")
	return &s.result, nil
}

func (s *session) upSteps() []step {
	if s.options.Context != "" {
		return []step{{says: "asking the existing cluster", do: s.useExisting}}
	}
	return []step{
		{says: "finding out what this machine allows", do: s.prepareHost},
		{says: "looking for a cluster that is there already", do: s.findCluster},
		{says: "choosing the node image", do: s.chooseImage, fresh: true},
		{says: "creating the cluster", do: s.create, fresh: true},
		{says: "waiting for the node and its DNS", do: s.waitReady, fresh: true},
		{says: "keeping services' addresses inside the nodes", do: s.fenceServices},
		{says: "starting the registry", do: s.startRegistry},
		{says: "telling the nodes of the registry", do: s.configureNodes},
	}
}

// Down removes the kind cluster, the registry and its content; with
// o.Images also the images and caches that [Up] made. It is harmless when
// nothing is there, and leaves an existing cluster (o.Context) alone.
func Down(ctx context.Context, o Options) error {
	if o.Context != "" {
		return nil
	}
	s, err := newSession(o)
	if err != nil {
		return err
	}
	unlock, err := cache.Lock(ctx, s.lockFile)
	if err != nil {
		return err
	}
	defer unlock()
	return explain(ctx, s.run(ctx, s.downSteps(ctx)))
}

func (s *session) run(ctx context.Context, steps []step) error {
	for _, st := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if st.fresh && s.exists {
			continue
		}
		progress.From(ctx).Step("cluster %s: %s", s.options.Name, st.says)
		if err := st.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", st.says, err)
		}
	}
	return nil
}

// explain puts the reason for which a context ended before what it broke.
func explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}
