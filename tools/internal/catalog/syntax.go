package catalog

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/strictyaml"
)

// parse reads the one document of a file; what is no YAML is a problem.
func (f *file) parse(data []byte) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		f.badLine(1, "the file is empty")
		return nil, false
	case err != nil:
		f.syntax(data, err)
		return nil, false
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		f.badLine(second.Line, "a second YAML document begins here; keep only one")
		return nil, false
	case !errors.Is(err, io.EOF):
		f.syntax(data, err)
		return nil, false
	}
	if len(first.Content) != 1 {
		f.badLine(1, "the file is empty")
		return nil, false
	}
	return first.Content[0], true
}

func (f *file) syntax(data []byte, err error) {
	line, text := strictyaml.Syntax(data, err)
	f.badLine(line, "not YAML: %s", text)
}

// values reads a file of values.
func (f *file) values(data []byte) map[string]any {
	values, faults := strictyaml.Values(data)
	for _, fault := range faults {
		f.badLine(fault.Line, "%s", fault.Text)
	}
	return values
}
