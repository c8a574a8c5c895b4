package catalog

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
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

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

func (f *file) syntax(data []byte, err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(err.Error(), m[0])
		if strings.HasPrefix(text, "did not find expected") {
			line++ // the library's parser counts lines from zero, its scanner from one
		}
	}
	last := 1 + bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n")) // the parser may name the line after it
	f.badLine(min(max(line, 1), last), "not YAML: %s", text)
}
