package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-runewidth"
	"github.com/mitchellh/go-wordwrap"
	"golang.org/x/term"
)

const (
	// columnGap is the number of spaces between two columns.
	columnGap = 2
	// A column of text is not made narrower than this while another one can be.
	narrowText = 24
	// A column is never made narrower than this: a table with more columns than
	// the terminal has room for is wider than it.
	narrowest = 8
)

// table prints rows below a head, in columns. On a terminal, cells that are too
// wide for it continue on further lines; everywhere else each row is one line.
func table(w io.Writer, head []string, rows [][]string) error {
	return tableOf(w, terminalWidth(w), head, rows)
}

// tableOf prints a table that is at most width cells wide; 0 sets no limit.
func tableOf(w io.Writer, width int, head []string, rows [][]string) error {
	all := append([][]string{head}, rows...)
	if width > 0 {
		all = fit(all, width)
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, columnGap, ' ', 0)
	for _, row := range all {
		fmt.Fprintln(columns, strings.Join(row, "\t"))
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// terminalWidth is the number of cells in a line of the terminal that w is, and
// 0 where w is none. A terminal that does not know its width has that of COLUMNS.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || width < 0 {
		return 0
	}
	return width
}

// fit breaks cells into lines so that the rows are at most width cells wide. A
// line of a row that continues is a row of its own, with empty cells where
// nothing continues.
func fit(rows [][]string, width int) [][]string {
	widths := columnWidths(rows, width)
	var fitted [][]string
	for _, row := range rows {
		cells, height := make([][]string, len(row)), 1
		for i, cell := range row {
			cells[i] = broken(cell, widths[i])
			height = max(height, len(cells[i]))
		}
		for line := range height {
			next := make([]string, len(row))
			for i, lines := range cells {
				if line < len(lines) {
					next[i] = lines[line]
				}
			}
			fitted = append(fitted, next)
		}
	}
	return fitted
}

// columnWidths narrows the widest columns until the rows fit: first those of text,
// down to a width that reads well, then down to their longest words, and then any.
func columnWidths(rows [][]string, width int) []int {
	var widths, words []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths, words = append(widths, 0), append(words, narrowest)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
			for _, word := range strings.Fields(cell) {
				words[i] = max(words[i], runewidth.StringWidth(word))
			}
		}
	}
	excess := columnGap*(len(widths)-1) - width
	for _, w := range widths {
		excess += w
	}
	readable := slices.Clone(words)
	for i := range readable {
		readable[i] = max(readable[i], narrowText)
	}
	excess = narrow(widths, readable, excess)
	excess = narrow(widths, words, excess)
	narrow(widths, slices.Repeat([]int{narrowest}, len(widths)), excess)
	return widths
}

// narrow takes excess cells from the widest columns, none of which gets narrower
// than its floor, and returns what is left of the excess.
func narrow(widths, floors []int, excess int) int {
	for ; excess > 0; excess-- {
		widest := -1
		for i, w := range widths {
			if w > floors[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return excess
}

// broken are the lines of a cell: they end between words, and within a word that
// is wider than the column.
func broken(cell string, width int) []string {
	if runewidth.StringWidth(cell) <= width {
		return []string{cell}
	}
	return strings.Split(runewidth.Wrap(wordwrap.WrapString(cell, uint(width)), width), "\n")
}
