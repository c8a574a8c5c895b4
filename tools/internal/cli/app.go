package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// app is one run of the program: what its commands share.
type app struct {
	streams Streams
	global  globalFlags
	// display is set once a command has begun its work; until then an error
	// is about the command line.
	display progress.Display
}

var errTimeout = errors.New("the time given by --timeout is over")

// runE is the work of a command.
type runE func(cmd *cobra.Command, args []string) error

// around gives a command's work its deadline, its progress display, and a process of
// its own for what users write in ytt.
func (a *app) around(run runE) runE {
	return func(cmd *cobra.Command, args []string) error {
		a.display = progress.New(a.streams.Err, progress.Options{Mode: a.global.mode(), Color: a.color()})
		ctx := progress.With(cmd.Context(), a.display)
		if d := a.global.timeout; d > 0 {
			limited, cancel := context.WithTimeoutCause(ctx, d, errTimeout)
			defer cancel()
			ctx = limited
		}
		worker := ytt.NewWorker()
		defer worker.Close()
		cmd.SetContext(ytt.With(ctx, worker))
		return run(cmd, args)
	}
}

// out is stdout, after everything that was being drawn is off the screen.
func (a *app) out() io.Writer {
	a.close()
	return a.streams.Out
}

func (a *app) close() {
	if a.display != nil {
		a.display.Close()
	}
}

func (a *app) color() bool {
	return !a.global.noColor && os.Getenv("NO_COLOR") == "" && progress.IsTerminal(a.streams.Err)
}

// catalog reads the checkout that --root names, or the one around the current
// folder.
func (a *app) catalog(options ...catalog.Option) (*catalog.Catalog, error) {
	root, err := a.root()
	if err != nil {
		return nil, err
	}
	return catalog.Load(root, options...)
}

func (a *app) root() (string, error) {
	if a.global.root != "" {
		return a.global.root, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return catalog.FindRoot(dir)
}

// selected are the versions that args name (all without args), and the
// catalog that they are of.
func (a *app) selected(args []string, options ...catalog.Option) (*catalog.Catalog, []*catalog.Version, error) {
	c, err := a.catalog(options...)
	if err != nil {
		return nil, nil, err
	}
	versions, err := c.Select(args)
	return c, versions, err
}
