package bundle

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"carvel.dev/ytt/pkg/cmd/template"
	"carvel.dev/ytt/pkg/cmd/ui"
	"carvel.dev/ytt/pkg/files"
	"carvel.dev/ytt/pkg/yamlmeta"
)

// yttRuns lets one ytt run at a time: its compiler sets variables of the
// Starlark package on every run, which is a data race between two of them.
var yttRuns sync.Mutex //nolint:gochecknoglobals // what it guards is global in a library

// valuesName is how ytt calls the user's values in its messages.
const valuesName = "values.yml"

// yttRequest is one run of ytt.
type yttRequest struct {
	// files are a bundle's; those below dir, or config/ where it is empty, are
	// ytt's input, as with "ytt -f config".
	files map[string][]byte
	// overlays are further input, after all of these.
	overlays map[string][]byte
	dir      string
	// values, if any, are given as --data-values-file.
	values []byte
	// schema asks for the values' OpenAPI document instead of the output.
	schema bool
}

func (r yttRequest) run(ctx context.Context) (*yamlmeta.DocumentSet, error) {
	input, err := yttFiles(r.files, r.below()+"/")
	if err != nil {
		return nil, err
	}
	overlays, err := yttFiles(r.overlays, "")
	if err != nil {
		return nil, err
	}
	options := r.options()
	yttRuns.Lock()
	defer yttRuns.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := options.RunWithFiles(template.Input{Files: files.NewSortedFiles(append(input, overlays...))}, ui.NewCustomWriterTTY(false, io.Discard, io.Discard))
	if out.Err != nil {
		return nil, fmt.Errorf("ytt: %w", out.Err)
	}
	return out.DocSet, nil
}

// below is the folder of the bundle that is ytt's input.
func (r yttRequest) below() string { return cmp.Or(r.dir, configDir) }

func (r yttRequest) options() *template.Options {
	o := template.NewOptions()
	o.FileMarksOpts.FileMarks = plainMarks(r.files, r.below())
	if r.schema {
		o.DataValuesFlags.InspectSchema = true
		o.RegularFilesSourceOpts.OutputType.Types = []string{template.RegularFilesOutputTypeOpenAPI}
	}
	if len(r.values) > 0 {
		o.DataValuesFlags.FromFiles = []string{valuesName}
		o.DataValuesFlags.ReadFilesFunc = func(string) ([]*files.File, error) {
			file, err := files.NewFileFromSource(files.NewBytesSource(valuesName, r.values))
			return []*files.File{file}, err
		}
	}
	return o
}

// yttFiles are those of the files whose names begin with prefix, without it, in
// ytt's own order: the alphabet's.
func yttFiles(content map[string][]byte, prefix string) ([]*files.File, error) {
	var input []*files.File
	for _, name := range slices.Sorted(maps.Keys(content)) {
		rel, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		file, err := files.NewFileFromSource(files.NewBytesSource(rel, content[name]))
		if err != nil {
			return nil, fmt.Errorf("giving %s to ytt: %w", name, err)
		}
		input = append(input, file)
	}
	return files.NewSortedFiles(input), nil
}

// plainMarks are ytt's file marks for those of a bundle's files, below dir, that hold
// objects and nothing for ytt to do but overlays. It reads every other YAML file three
// times: for a schema, for values and for the output; CRDs make up most of what it
// reads. A mark must match a file.
func plainMarks(content map[string][]byte, dir string) []string {
	var marks []string
	for _, name := range []string{crdFile, objectFile} {
		rel, below := strings.CutPrefix(name, dir+"/")
		if _, ok := content[name]; ok && below {
			marks = append(marks, rel+":type=yaml-plain")
		}
	}
	return marks
}
