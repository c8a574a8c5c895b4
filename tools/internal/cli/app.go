package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
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
	// warned are the warnings that were shown, since some commands load twice.
	warned map[string]bool
}

var errTimeout = errors.New("the time of --timeout is over")

// runE is the work of a command.
type runE func(cmd *cobra.Command, args []string) error

// around gives a command's work its deadline, its progress display, a process of its own
// for what users write in ytt, and a build cache for images.
func (a *app) around(run runE) runE {
	return func(cmd *cobra.Command, args []string) error {
		ctx := a.begin(cmd.Context())
		if d := a.global.timeout; d > 0 {
			limited, cancel := context.WithTimeoutCause(ctx, d, errTimeout)
			defer cancel()
			ctx = limited
		}
		worker := ytt.NewWorker()
		defer worker.Close()
		ctx, done := gocache.With(ctx)
		defer done()
		cmd.SetContext(ytt.With(ctx, worker))
		return run(cmd, args)
	}
}

// begin returns a context whose reporter is a new display. The one before is closed
// by whatever is printed; work that goes on after that begins anew.
func (a *app) begin(ctx context.Context) context.Context {
	a.close()
	a.display = progress.New(a.streams.Err, progress.Options{Mode: a.global.mode(), Color: a.color()})
	return progress.With(ctx, a.display)
}

// out is stdout, after everything that was being drawn is off the screen.
func (a *app) out() io.Writer {
	a.close()
	return a.streams.Out
}

// summary writes one line of what was checked and found to be so, below all progress.
func (a *app) summary(format string, args ...any) {
	a.close()
	if a.global.mode() != progress.None {
		fmt.Fprintf(a.streams.Err, format+"\n", args...)
	}
}

// count is a number of things, as in "1 package" and "2 packages".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
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
	if root := a.global.root; root != "" {
		if _, err := os.Stat(filepath.Join(root, catalog.RepositoryFile)); err != nil {
			return "", usagef("--root %s is not a checkout: it has no %s; pass the top folder of one", root, catalog.RepositoryFile)
		}
		return root, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return catalog.FindRoot(dir)
}

// selected are the versions that args name (all without args), and the
// catalog that they are of. What is broken of others is in nobody's way.
func (a *app) selected(args []string, options ...catalog.Option) (*catalog.Catalog, []*catalog.Version, error) {
	if len(args) > 0 {
		options = append(options, catalog.LeaveOutBroken)
	}
	c, err := a.catalog(options...)
	if err != nil {
		return nil, nil, err
	}
	versions, err := c.Select(args)
	if err != nil {
		return nil, nil, err
	}
	a.warnOfBroken(c)
	return c, versions, nil
}

// warnOfBroken names what the catalog leaves out, one line each.
func (a *app) warnOfBroken(c *catalog.Catalog) {
	for _, b := range c.Broken {
		a.warn(b.Err, b.ID())
	}
}

// warn says that something is left out because of an error, in one line.
func (a *app) warn(err error, leftOut string) {
	first, more, several := strings.Cut(err.Error(), "\n")
	if several {
		first += fmt.Sprintf(" (and %d more)", strings.Count(more, "\n")+1)
	}
	if !a.warned[leftOut] {
		a.warned[leftOut] = true
		a.display.Step("warning: %s is skipped: %s", leftOut, first)
	}
}
