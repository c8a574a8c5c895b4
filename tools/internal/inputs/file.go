package inputs

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/strictyaml"
)

// Values returns the values of the file, or an [Error] for all that is wrong with it.
func (f File) Values() (map[string]any, error) {
	values, faults := strictyaml.Values(f.Data)
	errs := make([]error, 0, len(faults))
	for _, fault := range faults {
		errs = append(errs, &Error{File: f.Name, Line: fault.Line, Text: fault.Text})
	}
	if len(errs) == 1 {
		return nil, errs[0]
	}
	return values, errors.Join(errs...)
}

// documents are those of the file up to the first that is no YAML.
func (f File) documents() ([]*yaml.Node, error) {
	var all []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(f.Data))
	for {
		d := &yaml.Node{}
		switch err := decoder.Decode(d); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		if len(d.Content) > 0 {
			all = append(all, d)
		}
	}
}

// found is how far a path leads into a file.
type found struct {
	depth, line int
	// node is the value that the path leads to, and nil before its end.
	node *yaml.Node
}

// find follows a path through the documents of the file, of which each is over those
// before it. The line is that of the last key or item of the path that is there.
func (f File) find(path []string) found {
	documents, _ := f.documents()
	var best found
	for _, d := range documents {
		s := search{left: mostVisited}
		if at := s.follow(d.Content[0], path); at.depth >= best.depth && at.line > 0 {
			best = at
		}
	}
	return best
}

// comments are those of the file, a line each.
func (f File) comments() []string {
	var all []string
	var collect func(n *yaml.Node)
	collect = func(n *yaml.Node) {
		for _, text := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			for line := range strings.Lines(text) {
				all = append(all, strings.TrimSpace(line))
			}
		}
		for _, below := range n.Content {
			collect(below)
		}
	}
	documents, _ := f.documents()
	for _, d := range documents {
		collect(d)
	}
	return all
}

// Texts returns the places of the texts that the files have in the map at a path, by key: of
// a text's own first line where it is a literal block, and else of its key. Later files are
// over earlier ones.
func Texts(files []File, path ...string) map[string]Overlay {
	places := map[string]Overlay{}
	for _, f := range files {
		var texts map[string]any
		if n := f.find(path).node; f.Made || n == nil || n.Decode(&texts) != nil {
			continue
		}
		for key := range texts {
			at := f.find(append(slices.Clone(path), key))
			switch {
			case at.node == nil:
			case at.node.Style&yaml.LiteralStyle != 0:
				places[key] = Overlay{f.Name, at.node.Line}
			default:
				places[key] = Overlay{f.Name, at.line - 1}
			}
		}
	}
	return places
}

// mostVisited bounds a search: aliases may lead through a document over and over.
const mostVisited = 100_000

type search struct{ left int }

func (s *search) follow(n *yaml.Node, path []string) found {
	at := found{line: n.Line}
	for _, key := range path {
		name, value := s.below(n, key)
		if value == nil {
			return at
		}
		at = found{depth: at.depth + 1, line: name.Line}
		n = value
	}
	at.node = n
	return at
}

// below returns what a map or list has under a key or index: the node that names it,
// and its value.
func (s *search) below(n *yaml.Node, key string) (name, value *yaml.Node) {
	if s.left--; s.left < 0 {
		return nil, nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return s.below(n.Alias, key)
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
	case yaml.MappingNode:
		return s.inMap(n, key)
	}
	return nil, nil
}

// inMap looks for a key among those of a map, and then among those it merges with <<.
func (s *search) inMap(n *yaml.Node, key string) (name, value *yaml.Node) {
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if n.Content[i].Value == key && n.Content[i].ShortTag() != "!!merge" {
			return n.Content[i], n.Content[i+1]
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() != "!!merge" {
			continue
		}
		if name, value = s.merged(n.Content[i+1], key); value != nil {
			return name, value
		}
	}
	return nil, nil
}

// merged looks into what << names: a map, or a list of them, of which the first wins.
func (s *search) merged(n *yaml.Node, key string) (name, value *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		return s.below(n, key)
	}
	for _, item := range n.Content {
		if name, value = s.below(item, key); value != nil {
			return name, value
		}
	}
	return nil, nil
}
