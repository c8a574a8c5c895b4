package progress

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// onPlain is a context whose work is written to out.
func onPlain(t *testing.T, out io.Writer) (context.Context, Display) {
	t.Helper()
	p := newPlain(out, false)
	ctx, _ := WithWork(With(t.Context(), p), "compiling images")
	return ctx, p
}

func TestWorkInPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, p := onPlain(t, &out)
		Expect(ctx, Job{ID: "1", Name: "a/one", Expected: 2 * time.Minute}, Job{ID: "2", Name: "a/two", Expected: 2 * time.Minute}, Job{ID: "3", Name: "cached"})
		Expect(ctx, Job{ID: "1", Name: "again"})
		Drop(ctx, "3")
		time.Sleep(5 * time.Second)
		end := Begin(ctx, Job{ID: "1"})
		time.Sleep(95 * time.Second)
		end()
		end()
		end = Begin(ctx, Job{ID: "2"})
		time.Sleep(30 * time.Second)
		end()
		p.Close()
		require.Equal(t, strings.Join([]string{
			"    5.0s compiling images: 1 of 2 (a/one), 0s elapsed, about 4m left",
			"   70.0s compiling images: 1 of 2 (a/one), 1m5s elapsed, about 3m left",
			"  100.0s compiling images: 2 of 2 (a/two), 1m35s elapsed, about 2m left",
			"  130.0s compiling images: all 2 done in 2m5s",
			"",
		}, "\n"), out.String())
	})
}

func TestWorkSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, p := onPlain(t, &out)
		Expect(ctx, Job{ID: "1", Name: "keda/keda", Expected: 2 * time.Minute}, Job{ID: "3", Name: "last", Expected: time.Minute})
		one := Begin(ctx, Job{ID: "1"})
		time.Sleep(time.Second)
		two := Begin(ctx, Job{ID: "2", Name: "node/etcd", Expected: 3 * time.Minute})
		time.Sleep(2 * time.Minute)
		Drop(ctx, "2")
		one()
		time.Sleep(time.Second)
		two()
		p.Close()
		require.Contains(t, out.String(), "compiling images: 2 of 3 (keda/keda, node/etcd), 1s elapsed, about 6m left\n")
		require.Contains(t, out.String(), "compiling images: 2 of 3 (node/etcd), 2m1s elapsed, about 2m left\n", "the last one and what the machine has left of it")
		require.NotContains(t, out.String(), "done in", "one has not begun")
	})
}

func TestWorkWithoutEstimate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, p := onPlain(t, &out)
		Expect(ctx, Job{ID: "1", Name: "known", Expected: time.Minute})
		end := Begin(ctx, Job{ID: "2", Name: "unknown"})
		time.Sleep(time.Second)
		require.Equal(t, "compiling images: 1 of 2 (unknown), 1s elapsed", ctx.Value(workKey{}).(*Work).String())
		end()
		end = Begin(ctx, Job{ID: "1"})
		time.Sleep(2 * time.Minute)
		require.Equal(t, "compiling images: 2 of 2 (known), 2m1s elapsed, longer than estimated", ctx.Value(workKey{}).(*Work).String(), "it takes longer than expected")
		end()
		require.Empty(t, ctx.Value(workKey{}).(*Work).String())
		p.Close()
	})
}

// TestWorkThatNobodyPlanned has a line of its own.
func TestWorkThatNobodyPlanned(t *testing.T) {
	var out bytes.Buffer
	p := newPlain(&out, false)
	ctx := With(t.Context(), p)
	Expect(ctx, Job{ID: "1"})
	Drop(ctx, "1")
	Begin(ctx, Job{ID: "1", Name: "tiny"})()
	p.Close()
	require.Contains(t, out.String(), "compiling: 1 of 1 (tiny), 0s elapsed\n")
}

func TestEstimateLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := WithWork(t.Context(), "compiling images")
		Expect(ctx, Job{ID: "1", Name: "one", Expected: 2 * time.Minute}, Job{ID: "2", Name: "two", Expected: 5 * time.Minute})
		end := Begin(ctx, Job{ID: "1"})
		time.Sleep(4 * time.Minute)
		end()
		defer Begin(ctx, Job{ID: "2"})()
		require.Equal(t, "compiling images: 2 of 2 (two), 4m0s elapsed, about 10m left", w.String(), "the first one took twice as long as expected")
	})
}

func TestWorkOnEveryDisplay(t *testing.T) {
	for _, mode := range Modes() {
		t.Run(string(mode), func(t *testing.T) {
			d := New(io.Discard, Options{Mode: mode})
			ctx, _ := WithWork(With(t.Context(), d), "compiling images")
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for i := range 20 {
						end := Begin(ctx, Job{ID: string(rune('a' + i)), Expected: time.Second})
						From(ctx).Step("step %d", i)
						end()
					}
				})
			}
			all.Wait()
			d.Close()
			Begin(ctx, Job{ID: "late"})()
		})
	}
}
