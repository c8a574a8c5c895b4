package devcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// contextName is kubectl's context for a kind cluster, by kind's rule.
func contextName(name string) string { return "kind-" + name }

// startPatience is how long a cluster that is there may take to answer, for
// instance after its machine was started again.
const startPatience = 90 * time.Second

// findCluster looks for a cluster of the name and sets s.exists if it is
// healthy. One that an interrupted run left half made is removed, and so is
// any other if it is to be replaced; a sick one is an error.
func (s *session) findCluster(ctx context.Context) error {
	nodes, err := s.provider.ListNodes(s.options.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes of %s: %w", s.options.Name, err)
	}
	s.result.Context = contextName(s.options.Name)
	if len(nodes) == 0 {
		return s.unmarkHalfMade()
	}
	if s.options.Recreate || s.isHalfMade() {
		progress.From(ctx).Step("removing the existing cluster, which is incomplete or to be replaced")
		return s.deleteCluster(ctx)
	}
	for _, n := range nodes {
		if err := s.startContainer(ctx, n.String()); err != nil {
			return err
		}
	}
	// Before the API server of a node that was just started asks for a service;
	// it may be too early, so a later step does it again.
	_ = s.fenceServices(ctx)
	if err := s.checkExisting(ctx); err != nil {
		return fmt.Errorf("the cluster %s exists but does not work; run \"strake up --recreate\" to replace it, or \"strake down\" to remove it: %w", s.options.Name, err)
	}
	s.exists = true
	s.result.NodeImageReason = "the cluster was there already"
	s.result.NodeImage, _ = s.engine.output(ctx, "inspect", "--format", "{{.Config.Image}}", nodes[0].String())
	return nil
}

func (s *session) checkExisting(ctx context.Context) error {
	if err := s.provider.ExportKubeConfig(s.options.Name, s.options.Kubeconfig, false); err != nil {
		return fmt.Errorf("reading its kubeconfig: %w", err)
	}
	return s.waitFor(ctx, startPatience)
}

// startContainer starts a container that is stopped: engines do not start
// them again with the machine.
func (s *session) startContainer(ctx context.Context, name string) error {
	running, err := s.engine.output(ctx, "inspect", "--format", "{{.State.Running}}", name)
	if err != nil || running == "true" {
		return err
	}
	progress.From(ctx).Step("starting %s again", name)
	return s.engine.Run(ctx, nil, nil, "start", name)
}

// create makes the cluster.
func (s *session) create(ctx context.Context) error {
	if err := s.markHalfMade(); err != nil {
		return err
	}
	if err := s.createCluster(ctx); err != nil {
		return s.hint(err)
	}
	s.result.Created = true
	return s.unmarkHalfMade()
}

// hint adds what is known of docker here: its --privileged asks for every
// capability, and fails where this machine lacks one that podman does without.
func (s *session) hint(err error) error {
	if s.engine == docker && !s.host.can(capSysResource) {
		return fmt.Errorf("%w (CAP_SYS_RESOURCE is missing here, which docker may insist on: try --engine podman)", err)
	}
	return err
}

// giveUpPatience is how long kind may take to notice that its containers
// have been taken away.
const giveUpPatience = 15 * time.Second

// createCluster takes the containers away when ctx ends, since kind knows no
// context: without them, whatever it is doing fails at once. If this process
// does not live to do so, the mark of the half-made cluster makes the next
// run clear up.
func (s *session) createCluster(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		done <- s.provider.Create(s.options.Name,
			cluster.CreateWithV1Alpha4Config(s.host.clusterConfig(s.options.Name, s.source)),
			cluster.CreateWithNodeImage(s.result.NodeImage),
			cluster.CreateWithKubeconfigPath(s.options.Kubeconfig),
		)
	}()
	select {
	case err := <-done:
		return kindError(err)
	case <-ctx.Done():
		last := context.WithoutCancel(ctx)
		_ = s.deleteCluster(last)
		select {
		case <-done:
		case <-time.After(giveUpPatience):
		}
		return errors.Join(context.Cause(ctx), s.deleteCluster(last))
	}
}

// kindError adds what the failed command printed, which kind's error omits.
func kindError(err error) error {
	if failed := exec.RunErrorForError(err); failed != nil {
		return fmt.Errorf("kind: %w: %s", err, tail(failed.Output))
	}
	return err
}

// outputTail is how much of a failed command's output a person is shown.
const outputTail = 4000

func tail(out []byte) string { return string(out[max(0, len(out)-outputTail):]) }

// deleteCluster ends the nodes first: podman would give each of them ten
// seconds to end, for nothing.
func (s *session) deleteCluster(ctx context.Context) error {
	nodes, err := s.provider.ListNodes(s.options.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes of %s: %w", s.options.Name, kindError(err))
	}
	for _, n := range nodes {
		_ = s.engine.Run(ctx, nil, nil, "kill", n.String())
	}
	if err := s.provider.Delete(s.options.Name, s.options.Kubeconfig); err != nil {
		return fmt.Errorf("deleting the cluster %s: %w", s.options.Name, kindError(err))
	}
	return s.unmarkHalfMade()
}
