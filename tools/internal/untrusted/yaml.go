package untrusted

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
)

const (
	// maxDocument is the size of a YAML document or stream in bytes. The
	// largest manifests are lists of CRDs of 5 MB.
	maxDocument = 32 << 20
	// maxAliased is the number of values that the aliases of a document stand
	// for, those within others counted each time. kustomize copies them all: 340
	// bytes that make a million take it 14 seconds and gigabytes. Manifests
	// that use aliases at all repeat a few labels.
	maxAliased = 50_000
	// maxDepth is the number of values within each other. CRDs reach 60. The
	// libraries allow 10,000, and a document that is written again with
	// indentation then grows by that factor.
	maxDepth = 200
)

// YAML checks that a stream of YAML or JSON documents can be parsed by any of
// the libraries without taking much more memory than it has bytes: its size,
// how deep it is nested, and what its aliases multiply to. The error, caused by
// [ErrLimit], says which of them is too much. A stream that is no YAML passes,
// for its parser to refuse, unless it has aliases.
func YAML(data []byte) error {
	if len(data) > maxDocument {
		return fmt.Errorf("the YAML has %d bytes, more than %s: %w", len(data), Size(maxDocument), ErrLimit)
	}
	hasAliases := anchors.Match(data) && aliases.Match(data)
	if !hasAliases && !mayBeDeep(data) {
		return nil
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		err := decoder.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return nil //nolint:nilerr // its own parser says what is wrong with it
		}
		aliased := sizes{}
		if _, err := aliased.of(&document, 0); err != nil {
			return err
		}
	}
}

// anchors and aliases are as the libraries read them, and also what looks like
// one within a text.
var (
	anchors = regexp.MustCompile(`&[0-9A-Za-z_-]`)
	aliases = regexp.MustCompile(`\*[0-9A-Za-z_-]`)
)

// mayBeDeep tells, from brackets and indentation alone, whether a stream may
// be nested deeper than the limit.
func mayBeDeep(data []byte) bool {
	open, most := 0, 0
	for line := range bytes.Lines(data) {
		indent := len(line) - len(bytes.TrimLeft(line, " -?"))
		for _, c := range line {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
			most = max(most, open+indent)
		}
	}
	return most > maxDepth
}

// sizes holds what each anchored value counts, so that one that is used often
// is counted once.
type sizes map[*yaml.Node]int

// of counts the values that stand in place of aliases below a node.
func (s sizes) of(n *yaml.Node, depth int) (int, error) {
	switch {
	case depth > maxDepth:
		return 0, fmt.Errorf("line %d of the YAML is nested deeper than %d: %w", n.Line, maxDepth, ErrLimit)
	case n.Alias != nil:
		return s.anchored(n.Alias, depth)
	}
	total := 0
	for _, child := range n.Content {
		size, err := s.of(child, depth+1)
		if err != nil {
			return 0, err
		}
		if total += size; total > maxAliased {
			return 0, fmt.Errorf("line %d of the YAML has aliases that stand for more than %d values: %w", n.Line, maxAliased, ErrLimit)
		}
	}
	return total, nil
}

// anchored counts an anchored value itself, and what its own aliases stand
// for.
func (s sizes) anchored(n *yaml.Node, depth int) (int, error) {
	if size, known := s[n]; known {
		if size == 0 {
			return 0, fmt.Errorf("line %d of the YAML has an alias that contains itself: %w", n.Line, ErrLimit)
		}
		return size, nil
	}
	s[n] = 0
	size, err := s.of(n, depth)
	s[n] = size + values(n)
	return s[n], err
}

// values counts a node and those below it, as they are written.
func values(n *yaml.Node) int {
	total := 1
	for _, child := range n.Content {
		total += values(child)
	}
	return total
}
