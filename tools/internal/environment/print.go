package environment

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"go.yaml.in/yaml/v3"
)

// Print writes differences as a person reads them: packages, below them their
// objects, and below those the fields.
func Print(w io.Writer, differences []Difference) error {
	var text strings.Builder
	last := ""
	for _, d := range differences {
		if d.Package != last {
			fmt.Fprintf(&text, "%s\n", d.Package)
			last = d.Package
		}
		switch d.Change {
		case Added:
			fmt.Fprintf(&text, "  + %s\n", d.Object)
		case Removed:
			fmt.Fprintf(&text, "  - %s\n", d.Object)
		default:
			fmt.Fprintf(&text, "  %s\n", d.Object)
			for _, f := range d.Fields {
				writeField(&text, f)
			}
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func writeField(text *strings.Builder, f Field) {
	from, isText := f.From.(string)
	to, areTexts := f.To.(string)
	switch {
	case f.Secret:
		fmt.Fprintf(text, "    %s: %s (a secret)\n", f.Path, f.Change)
	case f.Change == Added:
		fmt.Fprintf(text, "    + %s: %s\n", f.Path, show(f.To))
	case f.Change == Removed:
		fmt.Fprintf(text, "    - %s: %s\n", f.Path, show(f.From))
	case f.Change == Reordered:
		fmt.Fprintf(text, "    %s: order %s → %s\n", f.Path, show(f.From), show(f.To))
	case isText && areTexts && strings.Contains(from+to, "\n"):
		fmt.Fprintf(text, "    %s:\n%s", f.Path, lines(from, to))
	default:
		fmt.Fprintf(text, "    %s: %s → %s\n", f.Path, show(f.From), show(f.To))
	}
}

// show is a value on one line: text as it is, unless that would be read as
// something else.
func show(value any) string {
	if text, ok := value.(string); ok {
		var read any
		if err := yaml.Unmarshal([]byte(text), &read); err == nil && read == any(text) {
			return text
		}
	}
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // ranges of versions are full of < and >
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(encoded.String(), "\n")
}

// lines are those of two texts that differ, with one line around them.
func lines(from, to string) string {
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: split(from), B: split(to), Context: 1})
	if err != nil {
		return "      (they differ)\n"
	}
	var text strings.Builder
	for line := range strings.Lines(diff) {
		text.WriteString("      " + strings.TrimRight(line, "\n") + "\n")
	}
	return text.String()
}

func split(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		found = append(found, strings.TrimRight(line, "\n")+"\n")
	}
	return found
}
