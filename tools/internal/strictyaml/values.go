// Package strictyaml reads files of values so that they mean the same to every reader.
//
// Values pass through several YAML libraries on their way into a cluster, some of YAML 1.1
// and some of 1.2. What these read differently (an unquoted date, on, 0777) is refused here,
// with the line and how to quote it, and so is what some of them refuse, drop or merge: a
// second document, a key that occurs twice or is no string, a byte order mark.
//
// The package must not know whose values they are. Start reading at [Values].
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	// Line counts from 1.
	Line int
	// Text begins with the path of the value, if it is about one, and ends with the remedy.
	Text string
}

// byteOrderMark begins files that some editors on Windows save.
const byteOrderMark = "\ufeff"

// Values returns the map that is the only document of data, or all that is wrong with it.
// An empty document is an empty map.
func Values(data []byte) (map[string]any, []Fault) {
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		return nil, []Fault{{1, "the file begins with a byte order mark; save it as UTF-8 without one"}}
	}
	document, fault := only(data)
	if fault != nil {
		return nil, []Fault{*fault}
	}
	values := map[string]any{}
	if document == nil {
		return values, nil
	}
	if document.Kind != yaml.MappingNode {
		return nil, []Fault{{document.Line, "expected a map of values, found " + kindOf(document)}}
	}
	c := checker{}
	c.value(document, "")
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	if err := document.Decode(&values); err != nil {
		line, text := Syntax(data, err)
		return nil, []Fault{{line, text}}
	}
	return values, nil
}

// only is the document that is not empty, or nil where there is none.
func only(data []byte) (*yaml.Node, *Fault) {
	var found *yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		err := decoder.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			line, text := Syntax(data, err)
			return nil, &Fault{line, text}
		case len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null":
		case found != nil:
			return nil, &Fault{document.Content[0].Line, "a second YAML document; put all values into one"}
		default:
			found = document.Content[0]
		}
	}
}

// maxDepth is the number of values within each other, the same as for YAML of others. It
// bounds the paths, which are as long as the nesting is deep.
const maxDepth = 200

// checker collects the faults of a document.
type checker struct {
	faults []Fault
	depth  int
	// merged is how many keys << has brought.
	merged int
}

// mostMerged bounds a search: << may lead through a document over and over.
const mostMerged = 100_000

func (c *checker) bad(n *yaml.Node, path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	c.faults = append(c.faults, Fault{n.Line, text})
}

// value does not follow aliases, since what they stand for was looked at already.
func (c *checker) value(n *yaml.Node, path string) {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxDepth {
		c.bad(n, "", "the values are nested deeper than %d levels; write them flatter", maxDepth)
		return
	}
	known := []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"}
	if n.Style&yaml.TaggedStyle != 0 && !slices.Contains(known, n.ShortTag()) {
		c.bad(n, path, "the tag %s is not allowed in values; remove it", n.Tag)
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		c.mapping(n, path)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			c.value(item, path+"["+strconv.Itoa(i)+"]")
		}
	case yaml.ScalarNode:
		if trouble := ambiguity(n); trouble != "" {
			c.bad(n, path, "%s", trouble)
		}
	}
}

func (c *checker) mapping(n *yaml.Node, path string) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if isMerge(key) {
			c.value(value, path)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			c.bad(key, path, "a key is %s; write a string", kindOf(key))
			continue
		}
		at := join(path, key.Value)
		switch trouble := ambiguity(key); {
		case trouble != "":
			c.bad(key, at, "as a key, %s", trouble)
		case key.ShortTag() != "!!str":
			c.bad(key, at, "the key %s is not a string; put it in quotes: %q", key.Value, key.Value)
		case first[key.Value] > 0:
			c.bad(key, at, "the key occurs twice, first on line %d; remove one of them", first[key.Value])
		default:
			first[key.Value] = key.Line
		}
		c.value(value, at)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			c.merge(n.Content[i], n.Content[i+1], path, first)
		}
	}
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge"
}

// merge refuses keys that << brings a second time: ytt has no order among these.
func (c *checker) merge(at, n *yaml.Node, path string, first map[string]int) {
	if c.merged++; c.merged > mostMerged {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		c.merge(at, n.Alias, path, first)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			c.merge(at, item, path, first)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case isMerge(key):
				c.merge(at, n.Content[i+1], path, first)
			case first[key.Value] > 0:
				c.bad(at, join(path, key.Value), "<< brings a key that is on line %d already; remove one of them, or write the keys without <<", first[key.Value])
				c.merged += mostMerged / 100 // a map that merges itself has them over and over
			default:
				first[key.Value] = key.Line
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.Value)
}

// yamlLine is how the library names a line in its messages.
var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// Syntax reads the line out of an error of the YAML library about data. Its parser counts
// lines from zero, names none on the first and may name the one after the last; its scanner
// and decoder count from one.
func Syntax(data []byte, err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		line, _ = strconv.Atoi(match[1])
		text = match[2]
	}
	if strings.HasPrefix(text, "did not find expected") {
		line++
	}
	last := 1 + bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n"))
	return min(max(line, 1), last), text
}
