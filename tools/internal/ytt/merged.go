package ytt

import (
	"context"
	"slices"

	"carvel.dev/ytt/pkg/workspace"
	"carvel.dev/ytt/pkg/workspace/datavalues"
	"carvel.dev/ytt/pkg/yamlmeta"
)

// Merged lays each file of values over those before it, as ytt does, and returns what is at
// the path as a YAML document. The result is nil if there are no files or nothing at the
// path. It uses no schema: defaults are not added, and the only [ValuesError] is that of a
// value that cannot be laid over an earlier one. Use it to write values down; to render,
// pass the files in a [Request].
func Merged(ctx context.Context, list []File, path ...string) ([]byte, error) {
	return inTurn(ctx, func() ([]byte, error) { return merged(Request{Values: list}, path) })
}

func merged(r Request, path []string) ([]byte, error) {
	if len(r.Values) == 0 {
		return nil, nil
	}
	// The files have their own names here, so an error names what the user wrote.
	if _, _, err := r.options().DataValuesFlags.AsOverlays(false); err != nil {
		return nil, err
	}
	values, err := r.marked()
	if err != nil {
		return nil, err
	}
	library := workspace.NewRootLibrary(nil)
	execution := workspace.NewLibraryExecutionFactory(silent(), workspace.TemplateLoaderOpts{}, true).
		New(workspace.LibraryExecutionContext{Current: library, Root: library})
	all, _, err := execution.Values(values, datavalues.NewNullSchema())
	if err != nil {
		c := checker{files: r.Values}
		if c.notLaid(err); len(c.faults) > 0 {
			return nil, &ValuesError{c.faults, err.Error()}
		}
		return nil, err
	}
	found := all.Doc.Value
	for _, key := range path {
		if found = below(found, key); found == nil {
			return nil, nil
		}
	}
	return (&yamlmeta.Document{Value: found}).AsYAMLBytes()
}

// below is what a map has under a key.
func below(value any, key string) any {
	m, ok := value.(*yamlmeta.Map)
	if !ok {
		return nil
	}
	i := slices.IndexFunc(m.Items, func(item *yamlmeta.MapItem) bool { return item.Key == key })
	if i < 0 {
		return nil
	}
	return m.Items[i].Value
}
