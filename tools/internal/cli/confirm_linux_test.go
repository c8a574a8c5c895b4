package cli

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfirm(t *testing.T) {
	for _, test := range []struct {
		typed  string
		agreed bool
	}{{"y\n", true}, {"YES\n", true}, {"n\n", false}, {"\n", false}, {"yep\n", false}, {"\x04", false}} {
		var stderr bytes.Buffer
		program, user := terminal(t, 80)
		a := &app{streams: Streams{In: program, Err: &stderr}}
		f := &confirmFlag{}
		require.NoError(t, f.check(a))
		_, err := user.WriteString(test.typed)
		require.NoError(t, err)
		err = f.ask(t.Context(), a, "Delete it?")
		require.Equal(t, "Delete it? [y/N]: ", stderr.String())
		if test.agreed {
			require.NoError(t, err, "%q", test.typed)
		} else {
			require.ErrorContains(t, err, "nothing was deleted", "%q", test.typed)
		}
	}
}

func TestConfirmIsInterrupted(t *testing.T) {
	program, _ := terminal(t, 80)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	a := &app{streams: Streams{In: program, Err: io.Discard}}
	require.ErrorIs(t, (&confirmFlag{}).ask(ctx, a, "Delete it?"), context.DeadlineExceeded)
}

func TestConfirmWithoutTerminal(t *testing.T) {
	a := &app{streams: Streams{In: strings.NewReader("y\n"), Err: io.Discard}}
	require.ErrorAs(t, (&confirmFlag{}).check(a), &usageError{})
	yes := &confirmFlag{yes: true}
	require.NoError(t, yes.check(a))
	require.NoError(t, yes.ask(t.Context(), a, "Delete it?"), "nobody is asked")
}
