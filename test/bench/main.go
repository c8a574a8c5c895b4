// Command bench shows speed and memory as ratios, each against the tools that
// people use for the same work today, measured in one run on one machine.
//
// It drives the strake binary that STRAKE names (`make bench` builds it) and
// peers built from the modules of go.mod; skopeo takes part where it is on PATH,
// and is named as missing where not. It asserts nothing
// about time: a person reads the ratios.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rounds := flag.Int("rounds", 5, "number of measured rounds; medians are printed")
	flag.Parse()
	binary := os.Getenv("STRAKE")
	if binary == "" {
		return errors.New("STRAKE does not name the strake binary; `make bench` sets it")
	}
	checkout, err := filepath.Abs(".")
	if err != nil {
		return fmt.Errorf("finding the checkout: %w", err)
	}
	dir, err := os.MkdirTemp("", "strake-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, checkout: checkout, strake: binary, rounds: *rounds, report: newReport(os.Stdout)}
	defer b.report.flush()
	return b.run(ctx)
}

// bench is one run: its folder, its tools and what it found.
type bench struct {
	dir, checkout string
	strake        string
	rounds        int
	tools         map[string]string
	report        *report
}

func (b *bench) run(ctx context.Context) error {
	tools, err := b.buildPeers(ctx)
	if err != nil {
		return err
	}
	b.tools = tools
	for _, part := range []func(context.Context) error{b.benchBuild, b.benchEnvironment, b.benchReproducible, b.benchPush} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}
