package retry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// said is a context whose steps are kept.
func said(t *testing.T) (context.Context, *[]string) {
	t.Helper()
	lines := &recorder{Reporter: progress.From(t.Context())}
	return progress.With(t.Context(), lines), &lines.steps
}

type recorder struct {
	progress.Reporter
	steps []string
}

func (r *recorder) Step(format string, args ...any) {
	r.steps = append(r.steps, fmt.Sprintf(format, args...))
}

func TestPauseSaysWhichAttemptFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, steps := said(t)
		begun := time.Now()
		require.NoError(t, Attempt{What: "registry.test does not answer", Why: "refused\nby a proxy", Failed: 1, Max: 6, Wait: 3 * time.Second}.Pause(ctx, nil))
		require.NoError(t, Attempt{What: "it broke", Failed: 2, Wait: 10 * time.Millisecond}.Pause(ctx, nil))
		require.Equal(t, []string{"registry.test does not answer, attempt 2 of 6 in 3s: refused …", "it broke, attempt 3"}, *steps)
		require.Equal(t, 3010*time.Millisecond, time.Since(begun))
	})
}

func TestPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Attempt{What: "x", Wait: time.Hour}.Pause(ctx, nil), context.Canceled)
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, steps := said(t)
		begun := time.Now()
		require.NoError(t, Until(ctx, 500*time.Millisecond, nil, func(context.Context) error {
			switch took := time.Since(begun); {
			case took < 8*time.Second:
				return errors.New("connection refused")
			case took < 38*time.Second:
				return errors.New("reconciling")
			}
			return nil
		}))
		require.Equal(t, []string{
			"still waiting after 5s: connection refused",
			"still waiting after 10s: reconciling",
		}, *steps, "the second reason lasts less than a heartbeat")
	})
}

func TestUntilHasAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, steps := said(t)
		ctx, cancel := context.WithTimeoutCause(ctx, 70*time.Second, errors.New("after 70s"))
		defer cancel()
		err := Until(ctx, time.Second, nil, func(context.Context) error { return errors.New("no node") })
		require.EqualError(t, err, "no node (after 70s)")
		require.Equal(t, []string{
			"still waiting after 5s: no node",
			"still waiting after 35s: no node",
			"still waiting after 1m5s: no node",
		}, *steps)
	})
}

func TestUntilEndsWithAFinalAnswer(t *testing.T) {
	deleted := errors.New("deleted")
	final := fmt.Errorf("the object: %w", deleted)
	require.Equal(t, final, Until(t.Context(), time.Hour, deleted, func(context.Context) error { return final }))
}
