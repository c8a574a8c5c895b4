// Package cli is the strake command: cobra commands that parse their flags,
// call a stage and print what it answers.
//
// It must not know how anything is made. A command that needs more than a few
// calls in a row gets a package of its own, as "up" has with platform.
//
// Start reading at [Run], then root.go for what all commands share; each
// command is a file named after it.
package cli

import (
	"context"
	"io"
	"log"
	"os"
)

// Streams are where a run reads and writes: data goes to Out, everything that
// is said to a person about the work goes to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run executes the command line args (without the program's name) and answers
// with the exit code; see "strake help exit-codes". An ended ctx interrupts it.
func Run(ctx context.Context, args []string, s Streams) int {
	defer silenceLibraries()()
	a := &app{streams: s, warned: map[string]bool{}}
	root := newRoot(a) //nolint:contextcheck // commands find their context in the command that cobra executes
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	a.close()
	return a.report(ctx, cmd, err)
}

// silenceLibraries discards what libraries write to stderr: ko by the standard
// logger, client-go by klog, kustomize by os.Stderr itself. What matters of it is in
// their errors or is a step of ours. A run's own streams were opened before. The
// result undoes it.
func silenceLibraries() (restore func()) {
	logged, stderr := log.Writer(), os.Stderr
	log.SetOutput(io.Discard)
	nothing, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return func() { log.SetOutput(logged) }
	}
	os.Stderr = nothing
	return func() {
		log.SetOutput(logged)
		os.Stderr = stderr
		_ = nothing.Close() // nothing was kept
	}
}
