// Package inputs says where in a user's files stands what ytt refuses: the file and
// the line of a value or an overlay, though a package gets values that another one has
// passed on, and overlays under other names.
//
// It must not know where the files came from nor render anything: whoever renders
// hands over the error together with the files. Start reading at [Inputs.Explain].
package inputs

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/strake-dev/strake/tools/internal/names"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// Inputs are what a user gives to one package.
type Inputs struct {
	// Package is the name of the package.
	Package string
	// Values are the files of values, each over those before it.
	Values []File
	// Overlays are the files of overlays, by the name that ytt is given.
	Overlays map[string]Overlay
	// Docs returns whose documentation describes a value, and the path of the value
	// there; nil stands for the package's own.
	Docs func(path []string) (pkg string, rest []string)
}

// Of returns the inputs of a package that gets one file of values, or none where the
// file has no name.
func Of(pkg string, values File) Inputs {
	in := Inputs{Package: pkg}
	if values.Name != "" {
		in.Values = []File{values}
	}
	return in
}

// File is a file of values.
type File struct {
	// Name is what messages say.
	Name string
	Data []byte
	// Below is the path at which the values of the package stand in the file; it is
	// empty where they are all of it.
	Below []string
	// Made says that the values were made of a folder of that name, which has no lines.
	Made bool
}

// Given are the files as ytt takes them, if the values of the package are all of them.
func (in Inputs) Given() []ytt.File {
	var files []ytt.File
	for _, f := range in.Values {
		files = append(files, ytt.File{Name: f.Name, Data: f.Data})
	}
	return files
}

// Overlay is where an overlay stands.
type Overlay struct {
	// File is what messages say.
	File string
	// Before is the number of lines of the file before the overlay's first.
	Before int
}

// Error is something wrong in a user's file.
type Error struct {
	// File is empty where no file has the value.
	File string
	// Line is 0 where it is unknown.
	Line  int
	Text  string
	cause error
}

// Error begins with file and line.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Text
	case e.Line == 0:
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// Unwrap returns the error that was explained.
func (e *Error) Unwrap() error { return e.cause }

// Explain returns an error of rendering as an [Error], or several joined, where it is
// about what the user gave, and else as it is.
func (in Inputs) Explain(err error) error {
	var refused *ytt.ValuesError
	var failed *ytt.OverlayError
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*Error)):
		return err
	case errors.As(err, &refused):
		return in.refused(refused, err)
	case errors.As(err, &failed):
		at, own := in.Overlays[failed.File]
		if !own {
			return err
		}
		return &Error{at.File, at.Before + failed.Line, overlayText(failed), err}
	case strings.Contains(err.Error(), "Expected to be plain YAML, having no annotations"):
		return in.annotated(err)
	}
	return in.renamed(err)
}

// annotated names the first line of values that ytt takes for one of its own. Texts with
// such lines, which overlays are, are none.
func (in Inputs) annotated(err error) error {
	for _, f := range in.Values {
		comments := f.comments()
		for i, line := range strings.Split(string(f.Data), "\n") {
			if at := strings.Index(line, "#@"); at >= 0 && slices.Contains(comments, strings.TrimSpace(line[at:])) {
				return &Error{f.Name, i + 1, fmt.Sprintf("values are plain YAML, in which ytt evaluates nothing; remove %q", strings.TrimSpace(line[at:])), err}
			}
		}
	}
	return err
}

func (in Inputs) refused(refused *ytt.ValuesError, cause error) error {
	var all []error
	for _, f := range refused.Faults {
		e := in.place(f)
		e.cause, e.Text = cause, in.text(f)
		all = append(all, e)
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// place is where ytt says that a value stands. Of values that came through another package
// it does not know, and then the file is found that set the value last: later files are over
// earlier ones. Where none has the value, the file that has most of the way to it is meant.
func (in Inputs) place(fault ytt.Fault) *Error {
	best, most := &Error{}, 0
	for _, f := range in.Values {
		if f.Name == fault.File && len(f.Below) == 0 {
			return f.at(fault.Line)
		}
		found := f.find(append(slices.Clone(f.Below), fault.Path...))
		if found.depth < len(f.Below) || found.depth < most || found.line == 0 {
			continue
		}
		best, most = f.at(found.line), found.depth
	}
	if best.File == "" && len(in.Values) == 1 {
		best.File = in.Values[0].Name
	}
	return best
}

func (f File) at(line int) *Error {
	if f.Made {
		line = 0
	}
	return &Error{File: f.Name, Line: line}
}

// text says what is wrong with a value, without its place.
func (in Inputs) text(f ytt.Fault) string {
	name := f.Name
	if len(in.Values) > 0 {
		if below := in.Values[len(in.Values)-1].Below; len(below) > 0 {
			name = strings.TrimSuffix(strings.Join(below, ".")+"."+name, ".")
		}
	}
	if name != "" {
		name += ": "
	}
	if f.Message != "" {
		return name + f.Message
	}
	return fmt.Sprintf("%sunknown key; %s%q lists the keys", name, hint(f), in.docs(f))
}

// mostKnown is how many keys a message names where none is near.
const mostKnown = 9

// hint names the keys that were probably meant, with the end of a clause.
func hint(f ytt.Fault) string {
	near := names.Near(f.Path[len(f.Path)-1], f.Known)
	switch {
	case len(near) > 0:
	case len(f.Elsewhere) > 0 && len(f.Elsewhere) <= mostKnown/3:
		near = f.Elsewhere
	case len(f.Known) > 0 && len(f.Known) <= mostKnown:
		return "known: " + strings.Join(f.Known, ", ") + "; "
	default:
		return ""
	}
	return "did you mean " + strings.Join(near, " or ") + "? "
}

var index = regexp.MustCompile(`^[0-9]+$`)

// docs is the command that describes the keys beside an unknown one.
func (in Inputs) docs(f ytt.Fault) string {
	pkg, path := in.Package, f.Path[:len(f.Path)-1]
	if in.Docs != nil {
		pkg, path = in.Docs(path)
	}
	var text string
	for i, key := range path {
		switch {
		case index.MatchString(key) && i == len(path)-1: // the list itself has a description
		case index.MatchString(key):
			text += "[]"
		case text == "":
			text = key
		default:
			text += "." + key
		}
	}
	return strings.TrimSpace("strake docs " + pkg + " " + text)
}

// yamlLine is how ytt names a line in what a YAML library says.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// renamed gives overlays the names of the user's files in ytt's text, which is kept
// whole, and begins with the place that it names first.
func (in Inputs) renamed(err error) error {
	text := err.Error()
	e := &Error{cause: err}
	first := len(text)
	for name, o := range in.Overlays {
		at := mention(name).FindStringSubmatchIndex(text)
		if at == nil || at[0] >= first {
			continue
		}
		first, e.File, e.Line = at[0], o.File, 0
		if at[4] >= 0 {
			line, _ := strconv.Atoi(text[at[4]:at[5]])
			e.Line = o.Before + line
		} else if match := yamlLine.FindStringSubmatch(text); match != nil && strings.Contains(text, "Unmarshaling YAML template") {
			line, _ := strconv.Atoi(match[1]) // which ytt has corrected
			e.Line = o.Before + line
		}
	}
	if e.File == "" {
		return err
	}
	for _, name := range slices.SortedFunc(maps.Keys(in.Overlays), longestFirst) {
		text = in.rename(text, name)
	}
	e.Text = text
	return e
}

// mention finds a file in a text, and the line of it.
func mention(name string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s'"(])` + regexp.QuoteMeta(name) + `(?::(\d+))?\b`)
}

func (in Inputs) rename(text, name string) string {
	pattern := mention(name)
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		match := pattern.FindStringSubmatch(found)
		place := in.Overlays[name].File
		if line, err := strconv.Atoi(match[2]); err == nil {
			place += ":" + strconv.Itoa(in.Overlays[name].Before+line)
		}
		return match[1] + place
	})
}
