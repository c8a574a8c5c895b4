package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// report prints a row a measurement.
type report struct{ w *tabwriter.Writer }

func newReport(w io.Writer) *report {
	r := &report{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(r.w, "WORK\tTOOL\tWALL\tPEAK MEMORY\tTIME OF STRAKE'S\tMEMORY OF STRAKE'S")
	return r
}

// row says how a tool did, as a multiple of strake's time and memory for the
// same work.
func (r *report) row(work, tool string, s, strake sample) {
	fmt.Fprintf(r.w, "%s\t%s\t%s\t%d MB\t%.1fx\t%.1fx\n", work, tool, s.wall.Round(time.Millisecond), s.peak>>20,
		float64(s.wall)/float64(strake.wall), float64(s.peak)/float64(strake.peak))
	r.flush()
}

func (r *report) note(format string, args ...any) {
	fmt.Fprintf(r.w, format+"\n", args...)
	r.flush()
}

func (r *report) flush() { _ = r.w.Flush() }
