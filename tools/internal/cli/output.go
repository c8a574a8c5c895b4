package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

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

// table prints rows below a head, in columns.
func table(w io.Writer, head []string, rows [][]string) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(columns, strings.Join(row, "\t"))
	}
	return columns.Flush()
}
