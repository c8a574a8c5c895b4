package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	head := []string{"VALUE", "TYPE", "WHAT IT DOES"}
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, test := range []struct {
		name  string
		width int
		rows  [][]string
		want  string
	}{
		{"no limit", 0, [][]string{{"a", "integer", "How many replicas run at the same time, at most."}},
			"VALUE  TYPE     WHAT IT DOES\n" +
				"a      integer  How many replicas run at the same time, at most.\n"},
		{"fits", 40, [][]string{{"a", "integer", "Replicas."}},
			"VALUE  TYPE     WHAT IT DOES\n" +
				"a      integer  Replicas.\n"},
		{"text breaks between words", 42, [][]string{{"operator.log.level", "", "How many replicas run at once."}, {"b", "string", "Short."}},
			"VALUE               TYPE    WHAT IT DOES\n" +
				"operator.log.level          How many\n" +
				"                            replicas run\n" +
				"                            at once.\n" +
				"b                   string  Short.\n"},
		{"a word breaks where nothing else can", 40, [][]string{{"keda", "index", digest}},
			"VALUE  TYPE   WHAT IT DOES\n" +
				"keda   index  " + digest[:26] + "\n" +
				"              " + digest[26:52] + "\n" +
				"              " + digest[52:] + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, tableOf(&out, test.width, head, test.rows))
			require.Equal(t, test.want, out.String())
			requireWidth(t, out.String(), test.width)
		})
	}
}

// requireWidth wants no line to be wider than a terminal; 0 is no terminal.
func requireWidth(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		require.Equal(t, strings.TrimRight(line, " "), line, "no space at the end of a line")
		if width > 0 {
			require.LessOrEqual(t, utf8.RuneCountInString(line), width, line)
		}
	}
}

func TestTableLosesNothing(t *testing.T) {
	rows := [][]string{{"packages.knative-serving.values.controller.resources.limits", strings.Repeat("word ", 40), strings.Repeat("x", 90)}}
	for width := 40; width < 250; width += 7 {
		var out bytes.Buffer
		require.NoError(t, tableOf(&out, width, []string{"A", "B", "C"}, rows))
		requireWidth(t, out.String(), width)
		require.Equal(t, 90, strings.Count(out.String(), "x"), "width %d", width)
		require.Equal(t, 40, strings.Count(out.String(), "word"), "width %d", width)
	}
}

func TestOnlyATerminalHasAWidth(t *testing.T) {
	t.Setenv("COLUMNS", "40")
	require.Zero(t, terminalWidth(&bytes.Buffer{}))
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	require.Zero(t, terminalWidth(file))
}
