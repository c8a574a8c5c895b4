package progress

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// screen is what a terminal shows in the end of what was written to it, as far as mpb's
// escapes go, and every line that it ever showed.
type screen struct {
	rows []string
	at   int
	seen []string
}

var escape = regexp.MustCompile("^\x1b\\[([0-9]*)([A-Za-z])")

func (s *screen) write(text string) {
	for text != "" {
		if m := escape.FindStringSubmatch(text); m != nil {
			text = text[len(m[0]):]
			n, _ := strconv.Atoi(m[1])
			switch m[2] {
			case "A":
				s.at = max(s.at-n, 0)
			case "J":
				s.rows = s.rows[:min(s.at, len(s.rows))]
			}
			continue
		}
		line, rest, ended := strings.Cut(text, "\n")
		if i := strings.Index(line, "\x1b"); i > 0 {
			line, rest, ended = text[:i], text[i:], false
		}
		for len(s.rows) <= s.at {
			s.rows = append(s.rows, "")
		}
		s.rows[s.at] += strings.TrimRight(line, "\r")
		s.seen = append(s.seen, s.rows[s.at])
		if ended {
			s.at++
		}
		text = rest
	}
}

// onTerminal runs f with a terminal of 60 columns, and returns what that shows.
func onTerminal(t *testing.T, f func(terminal *os.File)) *screen {
	t.Helper()
	user, program, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(program, &pty.Winsize{Rows: 24, Cols: 60}))
	written := make(chan string)
	go func() {
		text, _ := io.ReadAll(user) // ends with an error when the other end is closed
		written <- string(text)
	}()
	f(program)
	require.NoError(t, program.Close())
	s := &screen{}
	s.write(<-written)
	require.NoError(t, user.Close())
	return s
}

func TestLiveLineOnATerminal(t *testing.T) {
	s := onTerminal(t, func(terminal *os.File) {
		d := New(terminal, Options{})
		ctx, _ := WithWork(With(t.Context(), d), "compiling images")
		Expect(ctx, Job{ID: "1", Name: "keda/keda", Expected: 10 * time.Minute}, Job{ID: "2", Name: "keda/a-name-that-is-too-long-for-the-terminal", Expected: 5 * time.Minute})
		end := Begin(ctx, Job{ID: "1"})
		From(ctx).Step("beside it")
		time.Sleep(1600 * time.Millisecond)
		end()
		defer Begin(ctx, Job{ID: "2"})()
		tracker := From(ctx).Track("an image", 100)
		tracker.Add(50)
		time.Sleep(400 * time.Millisecond)
		From(ctx).Step("more")
		d.Close()
		fmt.Fprintln(terminal, "strake: it failed")
	})
	var shown []string
	for _, line := range s.rows {
		shown = append(shown, strings.TrimSpace(regexp.MustCompile(`^ +[0-9.]+s `).ReplaceAllString(line, "")))
	}
	require.Equal(t, []string{"beside it", "more", "strake: it failed"}, shown, "nothing is left of the line")
	all := strings.Join(s.seen, "\n")
	require.Contains(t, all, "compiling images: 1 of 2 (keda/keda), 0s elapsed, about 15m…")
	require.Contains(t, all, "compiling images: 1 of 2 (keda/keda), 1s elapsed")
	for _, line := range s.seen {
		require.LessOrEqual(t, len([]rune(line)), 60, "a longer one would wrap, and not be taken away")
	}
}

func TestQuietTerminalStaysEmpty(t *testing.T) {
	s := onTerminal(t, func(terminal *os.File) {
		d := New(terminal, Options{Mode: None})
		ctx, _ := WithWork(With(t.Context(), d), "compiling images")
		end := Begin(ctx, Job{ID: "1", Name: "keda"})
		time.Sleep(200 * time.Millisecond)
		end()
		d.Close()
	})
	require.Empty(t, s.rows)
}
