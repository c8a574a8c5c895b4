package bundle

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/ytt"
)

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
	// foreign says that values and overlays are a user's, and not the package's own.
	foreign bool
	// schema asks for the values' OpenAPI document instead of the output.
	schema bool
}

// run returns what ytt prints: a YAML stream.
func (r yttRequest) run(ctx context.Context) ([]byte, error) {
	request := ytt.Request{
		Files:  append(yttFiles(r.files, r.below()+"/"), yttFiles(r.overlays, "")...),
		Marks:  plainMarks(r.files, r.below()),
		Values: r.values, ValuesName: valuesName, Schema: r.schema,
		Explain: r.foreign,
	}
	run := request.Run
	if r.foreign && len(r.values)+len(r.overlays) > 0 {
		run = request.RunForeign
	}
	made, err := run(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		r.nearest(ctx, err)
		return nil, fmt.Errorf("ytt: %w", err)
	}
	return made.Stream, nil
}

// below is the folder of the bundle that is ytt's input.
func (r yttRequest) below() string { return cmp.Or(r.dir, configDir) }

// yttFiles are those of the files whose names begin with prefix, without it, in
// ytt's own order: the alphabet's.
func yttFiles(content map[string][]byte, prefix string) []ytt.File {
	var input []ytt.File
	for _, name := range slices.Sorted(maps.Keys(content)) {
		if rel, ok := strings.CutPrefix(name, prefix); ok {
			input = append(input, ytt.File{Name: rel, Data: content[name]})
		}
	}
	return input
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
