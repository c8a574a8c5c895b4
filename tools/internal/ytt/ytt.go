// Package ytt is the one place where ytt is run. Its compiler sets variables of the
// Starlark package on every run, which is a data race between two runs, so one runs
// at a time; code of other tools that runs ytt by itself asks for its turn with [Alone].
//
// A run prints nothing. It is not ytt's business how long it takes or how much memory
// it uses: [Request.Run] leaves a run behind that has not ended when its context does,
// and a [Worker] runs input that is not ours in a child process, which is killed.
//
// The package must not know what is rendered. Start reading at [Request.Run].
package ytt

import (
	"context"
	"errors"
	"io"
	"strings"

	"carvel.dev/ytt/pkg/cmd/template"
	"carvel.dev/ytt/pkg/cmd/ui"
	"carvel.dev/ytt/pkg/files"
)

// File is a file for ytt, or one that it has made.
type File struct {
	// Name is a slash path.
	Name string
	Data []byte
}

// Request is one run of ytt.
type Request struct {
	// Files are the input, as those of "ytt -f", in the order in which ytt evaluates them.
	Files []File
	// Marks are those of --file-mark. Each must match a file.
	Marks []string
	// Values are given with --data-values-file, each over those before it. A name is what
	// messages say, whatever it looks like.
	Values []File
	// Schema asks for the OpenAPI document of the values instead of the output.
	Schema bool
	// Explain asks for a [ValuesError] where the values are refused, which costs another
	// evaluation of the schema, and for an [OverlayError] where an overlay is the cause.
	Explain bool
}

// Result is what a run has made.
type Result struct {
	// Stream is a YAML stream of all documents that are not empty, and Documents their number.
	Stream    []byte
	Documents int
	// Files are the output by file. The result of a schema has none, and a worker's neither.
	Files []File
}

// Run lets ytt run in this process. When ctx ends it returns at once; the run itself
// cannot be stopped and keeps others waiting, so the program should end.
func (r Request) Run(ctx context.Context) (*Result, error) {
	return inTurn(ctx, r.run)
}

func (r Request) run() (*Result, error) {
	options, input := r.options(), input(r.Files)
	out := options.RunWithFiles(template.Input{Files: input}, silent())
	if out.Err != nil {
		return nil, r.explained(errors.New(said(out.Err.Error())))
	}
	result := &Result{}
	var err error
	if result.Stream, err = out.DocSet.AsBytes(); err != nil {
		return nil, err
	}
	for _, document := range out.DocSet.Items {
		if !document.IsEmpty() {
			result.Documents++
		}
	}
	for _, file := range out.Files {
		result.Files = append(result.Files, File{file.RelativePath(), file.Bytes()})
	}
	return result, nil
}

// said is a text of ytt without the words that it puts before the message of assert.fail:
// the name of the function, twice.
func said(text string) string { return strings.ReplaceAll(text, "assert.fail: fail: ", "") }

// explained makes an error of ytt's one with fields, where its subject is known.
func (r Request) explained(err error) error {
	if !r.Explain {
		return err
	}
	if failed := overlayFailure(err.Error(), r.Files); failed != nil {
		return failed
	}
	if faults := r.faults(); len(faults) > 0 {
		return &ValuesError{faults, err.Error()}
	}
	return err
}

func (r Request) options() *template.Options {
	o := template.NewOptions()
	o.FileMarksOpts.FileMarks = r.Marks
	if r.Schema {
		o.DataValuesFlags.InspectSchema = true
		o.RegularFilesSourceOpts.OutputType.Types = []string{template.RegularFilesOutputTypeOpenAPI}
	}
	if len(r.Values) > 0 {
		// One argument stands for all, since ytt takes a part of a name with "@" for a library.
		o.DataValuesFlags.FromFiles = []string{"values"}
		o.DataValuesFlags.ReadFilesFunc = func(string) ([]*files.File, error) {
			values := sources(r.Values)
			for _, file := range values {
				file.MarkType(files.TypeYAML) // ytt passes over other names in folders
			}
			return values, nil
		}
	}
	return o
}

func input(list []File) []*files.File { return files.NewSortedFiles(sources(list)) }

func sources(list []File) []*files.File {
	sources := make([]*files.File, 0, len(list))
	for _, file := range list {
		// It fails for sources alone that cannot tell their name.
		sources = append(sources, files.MustNewFileFromSource(files.NewBytesSource(file.Name, file.Data)))
	}
	return sources
}

func silent() ui.UI { return ui.NewCustomWriterTTY(false, io.Discard, io.Discard) }
