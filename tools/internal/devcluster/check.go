package devcluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"

	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
)

// checkPatience is how long a cluster or its registry may take to answer a check.
const checkPatience = 15 * time.Second

// Readiness is what [Check] found.
type Readiness struct {
	// Missing is what [Up] would fail for.
	Missing []Missing
	// Installs are the Debian packages that [Up] would install first.
	Installs []string
	// Description is the engine, or the existing cluster, in a few words; empty if there is none.
	Description string
	// Exists tells that a cluster of the name is there.
	Exists bool
	// Programs are the parts of the node image that must be compiled.
	Programs []string
}

// Check finds out, in seconds, whether [Up] can work: the engine and what else a new
// cluster requires, or whether the existing cluster and its registry answer. It makes
// no cluster and installs nothing.
func Check(ctx context.Context, o Options) (*Readiness, error) {
	s, err := newSession(o)
	if err != nil {
		return nil, err
	}
	if s.options.Context != "" {
		return s.checkGiven(ctx), nil
	}
	s.host = probe(ctx)
	e, ok := s.host.engine(o.Engine)
	r := &Readiness{}
	if ok {
		if err := s.use(e); err != nil {
			return nil, err
		}
		r.Description = s.host.describe(e)
		// With the engine itself: kind's own way writes to the log.
		nodes, _ := e.output(ctx, "ps", "--all", "--quiet", "--filter", "label="+clusterLabel+"="+s.options.Name)
		r.Exists = nodes != "" && !o.Recreate && !s.isHalfMade()
	}
	source := !r.Exists && s.fromSource(ctx) && !e.hasImage(ctx, defaults.Image)
	if source {
		if r.Programs, err = s.uncompiled(ctx); err != nil {
			return nil, err
		}
	}
	missing := s.host.missing(s.options, source && len(r.Programs) > 0)
	if packages, ok := s.host.installable(s.options, missing); ok {
		r.Installs = packages
	} else {
		r.Missing = missing
	}
	return r, nil
}

// clusterLabel is kind's, on the containers of its nodes.
const clusterLabel = "io.x-k8s.kind.cluster"

// uncompiled are the programs of a node image from source that is not in the engine's storage.
func (s *session) uncompiled(ctx context.Context) ([]string, error) {
	reference, err := nodeimage.Reference()
	if err != nil {
		return nil, err
	}
	if s.engine != "" && s.engine.hasImage(ctx, reference) {
		return nil, nil
	}
	return nodeimage.Uncompiled(ctx)
}

// checkGiven asks the cluster of the options' context, and the registry.
func (s *session) checkGiven(ctx context.Context) *Readiness {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	r := &Readiness{Exists: true, Description: "the cluster of the context " + s.options.Context}
	s.result.Context = s.options.Context
	if err := s.answers(ctx); err != nil {
		r.Missing = append(r.Missing, Missing{
			What: fmt.Sprintf("a running cluster in the context %q", s.options.Context), Why: fmt.Sprintf("--context (%v)", oneLine(err)),
			Get: `list the contexts with "kubectl config get-contexts", or omit --context for a new kind cluster`,
		})
	}
	if err := serving(ctx, s.options.Registry); err != nil && !answersHTTP(ctx, "https://"+s.options.Registry+"/v2/") {
		r.Missing = append(r.Missing, Missing{
			What: "a registry that responds at " + s.options.Registry, Why: fmt.Sprintf("--registry (%v)", oneLine(err)),
			Get: "name one that both this machine and the cluster reach",
		})
	}
	return r
}

func (s *session) answers(ctx context.Context) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	return nodesReady(ctx, client)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
