package manifest

import (
	"io/fs"
	"regexp"
	"strings"
)

// locator finds the line at which an object stands in its file, after a
// renderer has changed it. Each file is read once.
type locator struct {
	sources fs.FS
	files   map[string]located
}

// located is what stands in one file: the objects that can be read as they
// are, and the documents that a renderer has to work on first.
type located struct {
	objects   []Object
	templates []document
}

func newLocator(sources fs.FS) *locator {
	return &locator{sources: sources, files: map[string]located{}}
}

// line is 0 where the file does not show which part of it makes the object.
func (l *locator) line(file string, o Object) int {
	best, bestLength := 0, -1
	for _, candidate := range l.read(file).objects {
		// A renderer may have put something before or after the name.
		name := candidate.GetName()
		if candidate.GroupVersionKind() != o.GroupVersionKind() || !strings.Contains(o.GetName(), name) {
			continue
		}
		if len(name) > bestLength {
			best, bestLength = candidate.Origin.Line, len(name)
		}
	}
	if best == 0 {
		return l.lineInTemplate(file, o)
	}
	return best
}

// lineInTemplate finds an object by its kind, where only one document of the
// file has it.
func (l *locator) lineInTemplate(file string, o Object) int {
	kind := regexp.MustCompile(`(?m)^kind:\s*["']?` + regexp.QuoteMeta(o.GetKind()) + `["']?\s*$`)
	found := 0
	for _, d := range l.read(file).templates {
		if !kind.Match(d.data) {
			continue
		}
		if found != 0 {
			return 0
		}
		found = d.line
	}
	return found
}

func (l *locator) read(file string) located {
	if known, ok := l.files[file]; ok {
		return known
	}
	var found located
	data, err := fs.ReadFile(l.sources, file)
	if err != nil {
		data = nil // packed inside of something else: there are no lines to offer
	}
	for _, d := range split(data) {
		some, err := d.decode(file)
		if err != nil {
			found.templates = append(found.templates, d)
		}
		found.objects = append(found.objects, some...)
	}
	l.files[file] = found
	return found
}
