package progress

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// Mode is how progress is shown.
type Mode string

// The modes. Auto is Bar on a terminal and Plain elsewhere.
const (
	Auto  Mode = "auto"
	Plain Mode = "plain"
	Bar   Mode = "bar"
	None  Mode = "none"
)

// Modes are all modes, in the order in which help lists them.
func Modes() []Mode { return []Mode{Auto, Plain, Bar, None} }

// Display is a [Reporter] that writes for a person.
type Display interface {
	Reporter
	// Close takes unfinished bars off the screen. Afterwards the writer is
	// the caller's again, and what is still reported is dropped.
	Close()
}

// Options choose a [Display].
type Options struct {
	Mode Mode
	// Color allows terminal escapes for emphasis.
	Color bool
}

// New makes a display that writes to w, usually stderr. The caller closes it.
func New(w io.Writer, o Options) Display {
	switch resolve(o.Mode, w) {
	case Bar:
		return newBars(w, o.Color)
	case None:
		return silentDisplay{}
	default:
		return newPlain(w, o.Color)
	}
}

// IsTerminal says whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func resolve(m Mode, w io.Writer) Mode {
	if m != Auto && m != "" {
		return m
	}
	if IsTerminal(w) && os.Getenv("TERM") != "dumb" {
		return Bar
	}
	return Plain
}

type silentDisplay struct{ silent }

func (silentDisplay) Close() {}

// dim is the escape for text that matters less than what stands beside it.
func dim(s string, color bool) string {
	if !color {
		return s
	}
	return fmt.Sprintf("\x1b[2m%s\x1b[0m", s)
}
