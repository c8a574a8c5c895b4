package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// registry is a `strake registry serve` on loopback.
type registry struct {
	address string
	stop    func()
}

func (b *bench) serve(ctx context.Context, name string) (*registry, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, b.strake, "registry", "serve", "--quiet", "--addr", "127.0.0.1:0", "--dir", filepath.Join(b.dir, name))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("starting the registry: %w", err)
	}
	stop := func() {
		cancel()
		_ = cmd.Wait() // it ends by the interrupt, which is no news
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return nil, fmt.Errorf("reading the registry's address: %w", err)
	}
	return &registry{strings.TrimSpace(address), stop}, nil
}
