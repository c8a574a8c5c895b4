package catalog

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/names"
)

// decode reads data, one YAML document, into out, a pointer to a struct, and
// notes everything that is wrong with it. It is stricter than the library's
// own decoding and goes on after an error: keys must be those of the yaml tags
// and appear once, a field without "omitempty" must be there and not be empty,
// and a scalar must have the field's type without conversion, so that an
// unquoted 1.10 does not turn into the version 1.1.
func (f *file) decode(data []byte, out any) {
	document, ok := f.parse(data)
	if !ok {
		return
	}
	f.value(document, reflect.ValueOf(out).Elem(), "")
}

func (f *file) value(n *yaml.Node, out reflect.Value, path string) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		f.badLine(n.Line, "anchors and aliases are not used here; write the value out")
		return
	}
	switch {
	case out.Type() == reflect.TypeFor[time.Time]():
		f.scalar(n, out, path)
	case out.Kind() == reflect.Struct:
		f.object(n, out, path)
	case out.Kind() == reflect.Slice:
		f.list(n, out, path)
	case out.Kind() == reflect.Map:
		f.table(n, out, path)
	case out.Kind() == reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		f.value(n, out.Elem(), path)
	case out.Kind() == reflect.Interface:
		f.free(n, out, path)
	default:
		f.scalar(n, out, path)
	}
}

// object fills a struct.
func (f *file) object(n *yaml.Node, out reflect.Value, path string) {
	fields := fieldsOf(out.Type())
	seen := f.pairs(n, path, func(key, val *yaml.Node, at string) {
		i := slices.IndexFunc(fields, func(fd field) bool { return fd.name == key.Value })
		if i < 0 {
			f.badLine(key.Line, "unknown field %q; %s", key.Value, names.Hint(key.Value, fieldNames(fields)))
			return
		}
		f.value(val, out.Field(fields[i].index), at)
		if !fields[i].optional && val.Value == "" && val.ShortTag() == "!!str" {
			f.badLine(key.Line, "field %q is empty; give it a value", at)
		}
	})
	if seen == nil {
		return
	}
	for _, fd := range fields {
		if !fd.optional && !seen[fd.name] {
			f.badLine(n.Line, "missing field %q", child(path, fd.name))
		}
	}
}

// pairs calls each for every key of the mapping n and answers with its keys,
// or nil where n is no mapping. A key's second value is an error and is skipped.
func (f *file) pairs(n *yaml.Node, path string, each func(key, val *yaml.Node, at string)) map[string]bool {
	if n.Kind != yaml.MappingNode {
		f.mismatch(n, path, "a mapping")
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		switch at := child(path, key.Value); {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			f.badLine(key.Line, "a key of %s is not a string; put it in quotes", named(path))
		case seen[key.Value]:
			f.badLine(key.Line, "duplicate field %q; the first is at line %d", at, f.line(at))
		default:
			seen[key.Value], f.lines[at] = true, key.Line
			each(key, val, at)
		}
	}
	return seen
}

// table fills a map with string keys.
func (f *file) table(n *yaml.Node, out reflect.Value, path string) {
	out.Set(reflect.MakeMap(out.Type()))
	f.pairs(n, path, func(key, val *yaml.Node, at string) {
		v := reflect.New(out.Type().Elem()).Elem()
		f.value(val, v, at)
		out.SetMapIndex(reflect.ValueOf(key.Value), v)
	})
}

func (f *file) list(n *yaml.Node, out reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		f.mismatch(n, path, "a list")
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		f.lines[at] = item.Line
		f.value(item, out.Index(i), at)
	}
}

// free fills an any with what the document holds, null included.
func (f *file) free(n *yaml.Node, out reflect.Value, path string) {
	target := reflect.New(reflect.TypeFor[any]()).Elem()
	switch n.Kind {
	case yaml.MappingNode:
		target = reflect.New(reflect.TypeFor[map[string]any]()).Elem()
		f.table(n, target, path)
	case yaml.SequenceNode:
		target = reflect.New(reflect.TypeFor[[]any]()).Elem()
		f.list(n, target, path)
	default:
		if err := n.Decode(target.Addr().Interface()); err != nil {
			f.mismatch(n, path, "a plain value")
		}
	}
	if target.IsValid() && (target.Kind() != reflect.Interface || !target.IsNil()) {
		out.Set(target)
	}
}
