package docs

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/mitchellh/go-wordwrap"
	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

const (
	// width is how long lines of comments get, without their indentation.
	width = 100
	// indent is that of each level.
	indent = 2
)

// blank are lines of spaces, which the encoder puts before a comment.
var blank = regexp.MustCompile(`(?m)^ +$`)

// YAML writes all values with their defaults, each under a comment that says
// what it does, what it may be and an example. A package takes the document as
// it is, and does with it what it does without values.
func YAML(values *bundle.Values, v *catalog.Version) ([]byte, error) {
	root, err := document(values.Defaults)
	if err != nil {
		return nil, err
	}
	if err := annotate(values.Schema, root); err != nil {
		return nil, err
	}
	text, err := encode(root)
	if err != nil {
		return nil, err
	}
	return append([]byte("# "+title(v)+", with their defaults. What you do not change can go.\n\n"), text...), nil
}

// annotate puts comments over the keys of a mapping.
func annotate(object *bundle.Value, mapping *yaml.Node) error {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, content := mapping.Content[i], mapping.Content[i+1]
		value := propertyOf(object, key.Value)
		if value == nil {
			continue // within a value that may be anything
		}
		text, err := explain(value)
		if err != nil {
			return err
		}
		key.HeadComment = comment(text)
		if i > 0 && text != "" {
			key.HeadComment = "\n" + key.HeadComment // an empty line before it
		}
		if err := annotate(value, content); err != nil {
			return err
		}
	}
	return nil
}

func propertyOf(object *bundle.Value, key string) *bundle.Value {
	for _, p := range object.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}

// explain is the text of a value's comment.
func explain(v *bundle.Value) (string, error) {
	var parts []string
	if text := about(v); text != "" {
		parts = append(parts, wrapped(text))
	}
	if words := allowed(v); words != "" {
		parts = append(parts, wrapped("Allowed: "+words+"."))
	}
	if !v.Example.IsZero() {
		text, err := example(v)
		if err != nil {
			return "", err
		}
		parts = append(parts, text)
	}
	below, err := samples(v)
	return strings.Join(append(parts, below...), "\n"), err
}

// example stands behind its title if it is a scalar, and else below it.
func example(v *bundle.Value) (string, error) {
	content, err := encode(&v.Example)
	if err != nil {
		return "", err
	}
	title, text := "Example", strings.TrimRight(string(content), "\n")
	if v.ExampleDescription != "" {
		title += " (" + v.ExampleDescription + ")"
	}
	if len(v.Example.Content) == 0 && !strings.Contains(text, "\n") {
		return title + ": " + text, nil
	}
	return title + ":\n" + indented(text), nil
}

// samples show the values below v that stand in the document only once somebody
// sets v: those of an item, and those of an object that is null.
func samples(v *bundle.Value) ([]string, error) {
	switch {
	case v.Items != nil && len(v.Items.Properties) > 0:
		node, err := commented(v.Items)
		return sample("An item, with its defaults:", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}, err)
	case v.Nullable && len(v.Properties) > 0:
		node, err := commented(v)
		return sample("Where it is not null, with its defaults:", node, err)
	}
	return nil, nil
}

func sample(title string, node *yaml.Node, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	text, err := encode(node)
	return []string{title + "\n" + indented(strings.TrimRight(string(text), "\n"))}, err
}

// commented are the defaults of an object that the document does not hold.
func commented(object *bundle.Value) (*yaml.Node, error) {
	node, err := defaultNode(object)
	if err != nil {
		return nil, err
	}
	return node, annotate(object, node)
}

func defaultNode(v *bundle.Value) (*yaml.Node, error) {
	if !v.Default.IsZero() {
		return &v.Default, nil
	}
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range v.Properties {
		value, err := defaultNode(p.Value)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: p.Key}, value)
	}
	return node, nil
}

func encode(node *yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(indent)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("writing values as YAML: %w", err)
	}
	return blank.ReplaceAll(text.Bytes(), nil), nil
}

func wrapped(text string) string {
	return wordwrap.WrapString(strings.TrimSpace(text), width)
}

// comment puts a "#" before each line.
func comment(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("# "+line, " ")
	}
	return strings.Join(lines, "\n")
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}
