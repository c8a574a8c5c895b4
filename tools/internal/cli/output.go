package cli

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// format is how a command prints data.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
	formatYAML format = "yaml"
)

// outputFlags are -o and --output.
type outputFlags struct{ format format }

func (f *outputFlags) add(cmd *cobra.Command) {
	enumFlag(cmd, &f.format, "output", "o", "how to print the result", formatText, formatJSON, formatYAML)
}

// print writes data for programs, or text for people.
func (f *outputFlags) print(w io.Writer, data any, text func(io.Writer) error) error {
	switch f.format {
	case formatJSON:
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(data)
	case formatYAML:
		content, err := yaml.Marshal(data)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	default:
		return text(w)
	}
}
