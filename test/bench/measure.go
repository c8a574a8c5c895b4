package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// sample is one measured command, or several in a row.
type sample struct {
	wall time.Duration
	// peak is the largest resident set of any process, in bytes.
	peak int64
}

// command is what is measured. Its output is kept only for errors.
type command struct {
	dir  string
	env  []string
	args []string
}

func (c command) run(ctx context.Context) (sample, error) {
	_, s, err := c.output(ctx)
	return s, err
}

func (c command) output(ctx context.Context) ([]byte, sample, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, append(os.Environ(), c.env...), &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	s := sample{wall: time.Since(begin)}
	if err != nil {
		return nil, s, fmt.Errorf("%s: %w\n%s", strings.Join(c.args, " "), err, stderr.String())
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peak = usage.Maxrss * 1024 // kibibytes, on Linux
	}
	return stdout.Bytes(), s, nil
}

// commands are measured as one piece of work, one after the other.
type commands []command

func (c commands) run(ctx context.Context) (total sample, err error) {
	for _, each := range c {
		s, err := each.run(ctx)
		if err != nil {
			return sample{}, err
		}
		total = sample{total.wall + s.wall, max(total.peak, s.peak)}
	}
	return total, nil
}
