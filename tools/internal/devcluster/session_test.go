package devcluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSessionNames(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	for _, bad := range []string{"Up", "a/b", "-x", "a b", "..", "a-very-long-name-that-does-not-fit-into-a-host-name"} {
		_, err := Up(t.Context(), Options{Name: bad})
		require.ErrorContains(t, err, bad)
	}
	t.Setenv("KUBECONFIG", "/some/where")
	s, err := newSession(Options{})
	require.NoError(t, err)
	require.Equal(t, DefaultName, s.options.Name)
	require.Equal(t, "/some/where", s.result.Kubeconfig)
	require.Equal(t, "strake-registry", s.registryName())
}

func TestHalfMade(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	s, err := newSession(Options{})
	require.NoError(t, err)
	require.NoError(t, writeFile(s.lockFile, "")) // as taking the lock does
	require.False(t, s.isHalfMade())
	require.NoError(t, s.markHalfMade())
	again, err := newSession(Options{})
	require.NoError(t, err)
	require.True(t, again.isHalfMade(), "the next run learns of it")
	require.NoError(t, again.unmarkHalfMade())
	require.NoError(t, again.unmarkHalfMade())
	require.False(t, s.isHalfMade())
}

func TestExistingCluster(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	_, err := Up(t.Context(), Options{Context: "mine"})
	require.ErrorContains(t, err, "--registry")

	_, err = Up(t.Context(), Options{Context: "mine", Registry: "r:5000", Kubeconfig: t.TempDir() + "/none"})
	require.ErrorContains(t, err, "there is no kubeconfig ")
	require.NoError(t, Down(t.Context(), Options{Context: "mine"}), "what was not made here is left alone")
}

func TestDownWithoutEngine(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	require.NoError(t, Down(t.Context(), Options{}))
}

func TestTimeoutIsExplained(t *testing.T) {
	t.Setenv("STRAKE_CACHE", t.TempDir())
	_, err := Up(t.Context(), Options{Timeout: time.Nanosecond})
	require.ErrorContains(t, err, "a longer timeout helps")
}

func TestExplain(t *testing.T) {
	require.NoError(t, explain(t.Context(), nil))
	broken := errors.New("broken")
	require.Equal(t, broken, explain(t.Context(), broken))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	require.EqualError(t, explain(ctx, broken), "interrupted (broken)")
}
