package kapp

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/progress"
)

type recorder struct {
	progress.Reporter
	steps []string
}

func (r *recorder) Step(format string, args ...any) {
	r.steps = append(r.steps, fmt.Sprintf(format, args...))
}

func TestLines(t *testing.T) {
	r := &recorder{}
	l := newLines(progress.With(context.Background(), r))
	require.NoError(t, l.last())
	for _, piece := range []string{
		"\nChanges\n\nNamespace  Name\n", "5:47:42AM: ---- applying 1 chan", "ges [0/20 done] ----\n",
		"11:00:00PM: ok: reconcile deployment/x\n  ^ waiting\nSucceeded", "\n",
	} {
		n, err := l.Write([]byte(piece))
		require.NoError(t, err)
		require.Len(t, piece, n)
	}
	require.Equal(t, []string{"kapp: applying 1 changes [0/20 done]", "kapp: ok: reconcile deployment/x"}, r.steps)
	require.ErrorContains(t, l.last(), "ok: reconcile deployment/x")
}

func FuzzEvent(f *testing.F) {
	f.Add("5:47:42AM: ---- applying ----")
	f.Fuzz(func(_ *testing.T, line string) { event(line) })
}

func TestDeployWithoutCluster(t *testing.T) {
	target := Target{Kubeconfig: t.TempDir() + "/none", App: "x", Namespace: "default"}
	require.ErrorContains(t, Deploy(t.Context(), target, []byte("kind: X")), "deploying x with kapp")
	require.ErrorContains(t, Delete(t.Context(), target), "deleting x with kapp")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, Deploy(ctx, target, nil))
}
