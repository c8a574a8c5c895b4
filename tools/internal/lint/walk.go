package lint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// leaf is a string within an object.
type leaf struct {
	path  string // spec.containers[0].env[1].value
	key   string // what the string is called: its field, environment variable or flag
	value string
}

// walk calls visit for every string of value, in a fixed order. A string that
// is a document itself, as in a ConfigMap's data or an annotation, is walked as
// such, and visited only where it is none. Descriptions are passed over: they
// are for people, and CRDs are full of them.
func walk(value any, visit func(leaf)) { walker{visit}.any("", "", value) }

type walker struct{ visit func(leaf) }

func (w walker) any(path, key string, value any) {
	switch value := value.(type) {
	case map[string]any:
		w.fields(path, key, value)
	case []any:
		w.items(path, key, value)
	case string:
		w.text(path, key, value)
	}
}

func (w walker) fields(path, key string, fields map[string]any) {
	name, named := fields["name"].(string)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		called := field
		switch {
		case field == "description":
			continue
		case field == "value" && named:
			called = name // an environment variable, or a parameter of the same form
		case field == "reference" && key == "image":
			called = key // a volume that is an image
		}
		w.any(join(path, field), called, fields[field])
	}
}

// items gives a flag's value, where it is the next argument, the flag's name.
func (w walker) items(path, key string, items []any) {
	flag := ""
	for i, item := range items {
		called := key
		if flag != "" {
			called = flag
		}
		flag = ""
		if text, ok := item.(string); ok && strings.HasPrefix(text, "-") && !strings.ContainsAny(text, "= ") {
			flag = text
		}
		w.any(fmt.Sprintf("%s[%d]", path, i), called, item)
	}
}

var flagWithValue = regexp.MustCompile(`^(--?[A-Za-z][\w.-]*)=(.*)$`)

func (w walker) text(path, key, value string) {
	if flag := flagWithValue.FindStringSubmatch(value); flag != nil {
		key, value = flag[1], flag[2]
	}
	if document := embedded(value); document != nil {
		w.any(path, key, document)
		return
	}
	w.visit(leaf{path, key, value})
}

// embedded is the YAML or JSON document in a string, or nil.
func embedded(text string) any {
	trimmed := strings.TrimSpace(text)
	if !strings.Contains(trimmed, "\n") && !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return nil
	}
	var document any
	if err := yaml.Unmarshal([]byte(trimmed), &document); err != nil {
		return nil
	}
	switch document.(type) {
	case map[string]any, []any:
		return document
	}
	return nil
}

func join(path, field string) string {
	switch {
	case strings.ContainsAny(field, "./ "):
		return fmt.Sprintf("%s[%q]", path, field)
	case path == "":
		return field
	}
	return path + "." + field
}
