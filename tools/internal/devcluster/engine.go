package devcluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
)

// engine is the command line of a container engine: docker, podman or nerdctl.
type engine string

const (
	docker  engine = "docker"
	podman  engine = "podman"
	nerdctl engine = "nerdctl"
)

// engines are tried in this order where none is asked for, as kind does it.
func engines() []engine { return []engine{docker, nerdctl, podman} }

// probeTimeout bounds a question to an engine: a daemon that is down may let
// its client wait.
const probeTimeout = 10 * time.Second

// Run runs the engine with args; see [nodeimage.Engine]. When ctx ends, the
// engine is asked to end, and is killed if it does not.
func (e engine) Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, string(e), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s %s: %w: %s", e, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return nil
}

// output is Run for what is printed, without the last newline.
func (e engine) output(ctx context.Context, args ...string) (string, error) {
	var stdout bytes.Buffer
	err := e.Run(ctx, nil, &stdout, args...)
	return strings.TrimSpace(stdout.String()), err
}

// answers tells whether the engine is installed and whether it works: docker
// and nerdctl need a daemon that answers, podman only itself.
func (e engine) answers(ctx context.Context) (installed bool, err error) {
	if !onPath(string(e)) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	question := []string{"info", "--format", "{{.ServerVersion}}"}
	if e == podman {
		question = []string{"version", "--format", "{{.Client.Version}}"}
	}
	answer, err := e.output(ctx, question...)
	if err == nil && answer == "" {
		err = fmt.Errorf("running %s %s: the daemon does not respond", e, question[0])
	}
	return true, err
}

func onPath(command string) bool {
	_, err := exec.LookPath(command)
	return err == nil
}

// provider is kind's way to the engine.
func (e engine) provider() cluster.ProviderOption {
	switch e {
	case podman:
		return cluster.ProviderWithPodman()
	case nerdctl:
		return cluster.ProviderWithNerdctl("")
	default:
		return cluster.ProviderWithDocker()
	}
}

// hasImage asks the engine's storage for an image.
func (e engine) hasImage(ctx context.Context, reference string) bool {
	return e.Run(ctx, nil, nil, "image", "inspect", reference) == nil
}

// limitsMemory reports whether the engine can limit a container's memory. Where
// the memory controller is not delegated to it, it refuses to start one with a
// limit.
func (e engine) limitsMemory(ctx context.Context) bool {
	format := "{{.MemoryLimit}}"
	if e == podman {
		format = "{{.Host.CgroupControllers}}"
	}
	answer, err := e.output(ctx, "info", "--format", format)
	return err == nil && saysMemory(e, answer)
}

// saysMemory reads what an engine tells of its controllers: podman lists them,
// docker and nerdctl say true or false.
func saysMemory(e engine, answer string) bool {
	if e == podman {
		return slices.Contains(strings.Fields(strings.Trim(answer, "[]")), "memory")
	}
	return answer == "true"
}
