package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// report prints a row for each tool and piece of work.
type report struct{ w *tabwriter.Writer }

func newReport(w io.Writer) *report {
	r := &report{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(r.w, "WORK\tTOOL\tTIME (LEAST TO LARGEST)\tPEAK MEMORY\tTIME OF STRAKE'S\tMEMORY OF STRAKE'S")
	return r
}

// row prints a tool's medians and how they compare with strake's for the same
// work. The ratio of times is the median of those of each round.
func (r *report) row(work, tool string, s, strake samples) {
	wall, ratio := s.walls(), s.timesOf(strake)
	fmt.Fprintf(r.w, "%s\t%s\t%s (%s to %s)\t%d MB\t%.1fx (%.1f to %.1f)\t%.1fx\n", work, tool,
		short(wall.median), short(wall.least), short(wall.largest), s.peaks().median>>20,
		ratio.median, ratio.least, ratio.largest, float64(s.peaks().median)/float64(strake.peaks().median))
	r.flush()
}

// rows prints a row for each contender; the first one is strake.
func (r *report) rows(work string, contenders []contender, all []samples) {
	for i, c := range contenders {
		r.row(work, c.tool, all[i], all[0])
	}
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

func (r *report) note(format string, args ...any) {
	fmt.Fprintf(r.w, format+"\n", args...)
	r.flush()
}

func (r *report) flush() { _ = r.w.Flush() }
