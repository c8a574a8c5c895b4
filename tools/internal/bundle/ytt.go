package bundle

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/ytt"
)

// ValuesFile is a file of values of a package. Several are laid over each other by ytt, each
// over those before it.
type ValuesFile = ytt.File

// ownFiles makes files of values that are the package's and not a user's.
func ownFiles(values ...map[string]any) ([]ValuesFile, error) {
	var files []ValuesFile
	for _, v := range values {
		if len(v) == 0 {
			continue
		}
		text, err := yaml.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encoding the values: %w", err)
		}
		files = append(files, ValuesFile{Name: "values.yml", Data: text})
	}
	return files, nil
}

// yttRequest is one run of ytt.
type yttRequest struct {
	// files are a bundle's; those below dir, or config/ where it is empty, are
	// ytt's input, as with "ytt -f config".
	files map[string][]byte
	// overlays are further input, after all of these.
	overlays map[string][]byte
	dir      string
	// values, if any, are given with --data-values-file.
	values []ValuesFile
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
		Values: r.values, Schema: r.schema,
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
