package nodeimage

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// engineFunc is an engine made of a function.
type engineFunc func(args []string) error

func (f engineFunc) Run(_ context.Context, _ io.Reader, _ io.Writer, args ...string) error {
	return f(args)
}

// lister is an engine that has images.
type lister struct {
	images  string
	removed *[]string
}

func (l lister) Run(_ context.Context, _ io.Reader, stdout io.Writer, args ...string) error {
	if args[0] == "images" {
		_, err := io.WriteString(stdout, l.images)
		return err
	}
	*l.removed = append(*l.removed, args[1])
	return errors.New("it is in use")
}

func TestPrune(t *testing.T) {
	var removed []string
	images := BaseRepository + ":new\n" + BaseRepository + ":old\n" + Repository + ":old\n" + Repository + ":new\n"
	b := &build{engine: lister{images, &removed}, key: "new"}
	require.NoError(t, b.prune(t.Context()), "what is in use stays, and is no error")
	require.Equal(t, []string{Repository + ":old", BaseRepository + ":old"}, removed)
}

func TestBuildAsksTheEngineFirst(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	var asked [][]string
	reference, err := Build(t.Context(), engineFunc(func(args []string) error {
		asked = append(asked, args)
		return nil
	}), Options{})
	require.NoError(t, err)
	want, err := Reference()
	require.NoError(t, err)
	require.Equal(t, want, reference)
	require.Equal(t, [][]string{{"image", "inspect", reference}}, asked, "an image that is there costs one question")
}

func TestBuildSaysWhichStepFailed(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	t.Setenv("PATH", t.TempDir()) // no go command
	_, err := Build(t.Context(), engineFunc(func([]string) error { return errors.New("no such image") }), Options{})
	require.ErrorContains(t, err, "compiling the node's programs")
	require.ErrorContains(t, err, "the go command is not on PATH")
}
