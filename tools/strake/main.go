// Command strake builds, proves and carries a Carvel package repository.
//
// Main wires signals, streams and the exit code; everything else begins in
// tools/internal/cli, also the work of the processes that strake starts of itself.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/strake-dev/strake/tools/internal/cli"
)

func main() {
	if code, child := cli.Child(); child {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean end; from then on the system's own
	// handling is back, so that a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
