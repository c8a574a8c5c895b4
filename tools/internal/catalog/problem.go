package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// problem is one thing that is wrong with a file. A message ends with the way
// out after a semicolon, wherever there is one to tell.
type problem struct {
	file string
	line int // 0 where the file itself is missing or cannot be read
	text string
}

func (p problem) Error() string {
	if p.line == 0 {
		return fmt.Sprintf("%s: %s", p.file, p.text)
	}
	return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.text)
}

// file collects the problems of one file. Fields are named by their path in
// the document, such as images[0].digest.
type file struct {
	name     string // slash path below the catalog's root
	lines    map[string]int
	problems []problem
}

func newFile(name string) *file {
	return &file{name: name, lines: map[string]int{}}
}

// bad notes a problem with the field at path.
func (f *file) bad(path, format string, args ...any) {
	f.badLine(f.line(path), format, args...)
}

func (f *file) badLine(line int, format string, args ...any) {
	f.problems = append(f.problems, problem{f.name, line, fmt.Sprintf(format, args...)})
}

// line is where the field at path stands, or else the nearest field around it.
func (f *file) line(path string) int {
	for path != "" {
		if line, ok := f.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// has tells whether the document gives the field at path a value.
func (f *file) has(path string) bool {
	_, ok := f.lines[path]
	return ok
}

// sorted are the problems from the top of the file to its bottom. The text
// decides within a line, since some checks go through maps.
func (f *file) sorted() []problem {
	slices.SortFunc(f.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), strings.Compare(a.text, b.text))
	})
	return f.problems
}

func join(problems []problem) error {
	errs := make([]error, 0, len(problems))
	for _, p := range problems {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}
