package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// terminal is a terminal of the given width: what a program reads and writes,
// and the end at which its user sits.
func terminal(t *testing.T, width uint16) (program, user *os.File) {
	t.Helper()
	user, program, err := pty.Open()
	require.NoError(t, err)
	t.Cleanup(func() { program.Close(); user.Close() })
	require.NoError(t, pty.Setsize(program, &pty.Winsize{Rows: 24, Cols: width}))
	return program, user
}

func TestTableFitsTheTerminal(t *testing.T) {
	program, user := terminal(t, 60)
	require.Equal(t, 60, terminalWidth(program))
	require.NoError(t, table(program, []string{"VALUE", "WHAT IT DOES"}, [][]string{{"replicas", strings.Repeat("word ", 30)}}))
	buffer := make([]byte, 1<<12)
	n, err := user.Read(buffer)
	require.NoError(t, err)
	requireWidth(t, strings.ReplaceAll(string(buffer[:n]), "\r\n", "\n"), 60)

	unknown, _ := terminal(t, 0)
	t.Setenv("COLUMNS", "72")
	require.Equal(t, 72, terminalWidth(unknown))
	t.Setenv("COLUMNS", "wide")
	require.Zero(t, terminalWidth(unknown))
}
