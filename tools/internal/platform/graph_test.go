package platform

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunBeginsEachTaskAsSoonAsItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		at := map[string]time.Duration{}
		sleep := func(d time.Duration) func(context.Context, *state) error {
			return func(context.Context, *state) error { time.Sleep(d); return nil }
		}
		cluster := &task{says: "cluster", do: sleep(3 * time.Minute)}
		compile := &task{says: "compile", do: sleep(2 * time.Minute)}
		other := &task{says: "other", do: sleep(2 * time.Minute), follows: []*task{compile}}
		install := &task{says: "install", after: []*task{cluster, compile}, do: func(context.Context, *state) error {
			at["install"] = time.Since(begun)
			return nil
		}}
		require.NoError(t, run(t.Context(), []*task{cluster, compile, other, install}, &state{}))
		require.Equal(t, 3*time.Minute, at["install"], "while the other package compiles")
		require.Equal(t, 4*time.Minute, time.Since(begun))
	})
}

func TestRunIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := make(chan struct{}, 2)
		var now, most atomic.Int32
		var tasks []*task
		for range 6 {
			tasks = append(tasks, &task{says: "install", slots: slots, do: func(context.Context, *state) error {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
				return nil
			}})
		}
		begun := time.Now()
		require.NoError(t, run(t.Context(), tasks, &state{}))
		require.EqualValues(t, 2, most.Load())
		require.Equal(t, 3*time.Second, time.Since(begun))
	})
}

func TestRunReportsAllFailures(t *testing.T) {
	done := map[string]bool{}
	fails := func(text string) func(context.Context, *state) error {
		return func(context.Context, *state) error { return errors.New(text) }
	}
	first := &task{says: "images of a", do: fails("compiling a")}
	second := &task{says: "images of b", do: fails("compiling b"), follows: []*task{first}}
	install := &task{says: "install a", after: []*task{first}, do: fails("never")}
	users := &task{says: "install what requires a", after: []*task{install}, do: fails("never")}
	independent := &task{says: "install c", follows: []*task{second}, do: func(context.Context, *state) error {
		done["c"] = true
		return nil
	}}
	err := run(t.Context(), []*task{first, second, install, users, independent}, &state{})
	require.EqualError(t, err, "compiling a\ncompiling b\ninstall a: skipped, since this failed: images of a\n"+
		"install what requires a: skipped, since this failed: images of a")
	require.True(t, done["c"])
}

func TestRunEndsWithWhatIsVital(t *testing.T) {
	waits := func(ctx context.Context, _ *state) error {
		<-ctx.Done()
		return ctx.Err()
	}
	vital := &task{says: "cluster", vital: true, do: func(context.Context, *state) error { return errors.New("no engine") }}
	err := run(t.Context(), []*task{vital, {says: "images", do: waits}, {says: "install", after: []*task{vital}, do: waits}}, &state{})
	require.EqualError(t, err, "no engine", "the compilers are ended, and nothing else is said")

	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupted")
	stops := &task{says: "x", do: func(context.Context, *state) error { cancel(interrupt); return nil }}
	require.ErrorIs(t, run(ctx, []*task{stops, {says: "images", do: waits}}, &state{}), interrupt)
}
