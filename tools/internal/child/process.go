package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// grace is how long programs that a child has started may keep its stderr open once
// it has ended.
const grace = 5 * time.Second

// Options say how a child is started.
type Options struct {
	// Args are the job's.
	Args []string
	// Env is added to the environment of this process.
	Env []string
	// Memory is how much the child and what it starts may have resident, in bytes,
	// if [EnvMemory] does not say otherwise. 0 means no limit.
	Memory int64
}

// Process is a child at work. In and Out are its stdin and stdout; whoever started it
// reads Out and calls [Process.Wait] in the end.
type Process struct {
	In, Out *os.File

	limit int64
	pid   int
	// over says that the child was killed for its memory.
	over   atomic.Bool
	stderr head
	done   chan struct{}
	err    error
}

// Start starts this program as a child for a job. The child is killed when ctx ends.
func Start(ctx context.Context, job string, o Options) (*Process, error) {
	if !entered.Load() {
		return nil, errNotEntered
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's file: %w", err)
	}
	o.Env = append(slices.Clone(o.Env), Mark+"="+mark(job))
	return StartProgram(ctx, self, o)
}

// StartProgram starts the program of a file as a child, which needs no [Enter].
func StartProgram(ctx context.Context, file string, o Options) (*Process, error) {
	limit, err := memoryLimit(o.Memory)
	if err != nil {
		return nil, err
	}
	p := &Process{limit: limit, done: make(chan struct{})}
	cmd := exec.CommandContext(ctx, file, o.Args...)
	cmd.Env = append(append(os.Environ(), softLimit(limit)...), o.Env...)
	cmd.Stderr, cmd.SysProcAttr, cmd.WaitDelay = &p.stderr, attributes(), grace
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	if err := p.start(cmd); err != nil {
		return nil, err
	}
	return p, nil
}

// Run lets a child do a job whose stdout does not matter.
func Run(ctx context.Context, job string, o Options) error {
	p, err := Start(ctx, job, o)
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, p.Out) }()
	err = p.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// start connects the pipes and leaves a goroutine that waits for the end.
func (p *Process) start(cmd *exec.Cmd) error {
	in, toChild, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	fromChild, out, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("making a pipe: %w", err), in.Close(), toChild.Close())
	}
	cmd.Stdin, cmd.Stdout, p.In, p.Out = in, out, toChild, fromChild
	started := make(chan error)
	go p.run(cmd, started)
	err = <-started
	_, _ = in.Close(), out.Close() // the child has its own
	if err != nil {
		return errors.Join(fmt.Errorf("starting %s: %w", cmd.Path, err), toChild.Close(), fromChild.Close())
	}
	return nil
}

// run starts the child and waits for its end on one thread: Linux takes the death of
// the thread that started a child for the parent's.
func (p *Process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	if p.err = cmd.Start(); p.err != nil {
		started <- p.err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	ended := make(chan struct{})
	go p.watch(ended)
	p.err = cmd.Wait()
	close(ended)
}

// Kill ends the child and what it has started.
func (p *Process) Kill() { _ = killGroup(p.pid) }

// Wait closes the child's stdin, waits until it has ended, and returns why it failed:
// a [MemoryError], or what it wrote to stderr, or how it ended.
func (p *Process) Wait() error {
	_ = p.In.Close()
	<-p.done
	_ = p.Out.Close()
	said := string(bytes.Join(bytes.Fields(p.stderr.Bytes()), []byte(" ")))
	var exit *exec.ExitError
	switch {
	case p.over.Load():
		return &MemoryError{Limit: p.limit}
	case p.err == nil:
		return nil
	case errors.As(p.err, &exit) && exit.Exited() && said != "":
		return errors.New(said)
	case said != "":
		return fmt.Errorf("%w: %s", p.err, said)
	}
	return p.err
}

// killGroup ends all processes of a group, at once: a child keeps nothing that it
// would have to put away.
func killGroup(pid int) error {
	err := syscall.Kill(-pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// softLimit makes a child's garbage collector work harder before the limit is reached.
func softLimit(limit int64) []string {
	if limit == 0 || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	const share = 4 // the rest is for what Go does not count
	return []string{"GOMEMLIMIT=" + strconv.FormatInt(limit-limit/share, 10)}
}

// head keeps the beginning of what is written to it. It embeds no buffer: io.Copy would
// use the ReadFrom of one, which has no bound.
type head struct{ kept bytes.Buffer }

// Bytes are what is kept.
func (h *head) Bytes() []byte { return h.kept.Bytes() }

func (h *head) Write(p []byte) (int, error) {
	const most = 4096 // a reason; the rest of a panic is stacks
	if room := most - h.kept.Len(); room > 0 {
		h.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
