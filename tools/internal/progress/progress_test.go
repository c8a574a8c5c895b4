package progress

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vbauerster/mpb/v8"
)

func TestFrom(t *testing.T) {
	t.Run("a context without a reporter has one that says nothing", func(t *testing.T) {
		r := From(t.Context())
		r.Step("nothing")
		tracker := r.Track("nothing", 1)
		tracker.Add(1)
		tracker.Done()
	})
	t.Run("the reporter that was given", func(t *testing.T) {
		var out bytes.Buffer
		d := newPlain(&out, false)
		From(With(t.Context(), d)).Step("hello %d", 1)
		d.Close()
		require.Contains(t, out.String(), "hello 1\n")
	})
}

func TestNewChoosesDisplay(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	for _, test := range []struct {
		name string
		mode Mode
		w    io.Writer
		want Display
	}{
		{"auto to a buffer", Auto, io.Discard, &plain{}},
		{"auto to a file", Auto, file, &plain{}},
		{"nothing said", "", io.Discard, &plain{}},
		{"plain", Plain, io.Discard, &plain{}},
		{"bars whatever the writer", Bar, io.Discard, &bars{}},
		{"none", None, io.Discard, silentDisplay{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := New(test.w, Options{Mode: test.mode})
			defer d.Close()
			require.IsType(t, test.want, d)
		})
	}
}

func TestPlainSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newPlain(&out, false)
		p.Step("first")
		time.Sleep(1500 * time.Millisecond)
		p.Step("second %s\n", "thing")
		p.Close()
		p.Step("dropped")
		require.Equal(t, "    0.0s first\n    1.5s second thing\n", out.String())
	})
}

func TestPlainTransfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newPlain(&out, false)
		big := p.Track("big", 40_000_000)
		small := p.Track("small", 200)
		small.Add(200)
		small.Done()
		for range 4 {
			big.Add(10_000_000)
			time.Sleep(4 * time.Second)
		}
		big.Done()
		big.Done()
		p.Close()
		require.Equal(t, strings.Join([]string{
			"    0.0s big: 40 MB",
			"   10.0s big: 30 MB of 40 MB (75%)",
			"   16.0s big: done, 40 MB in 16s",
			"",
		}, "\n"), out.String())
	})
}

func TestPlainTransferThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newPlain(&out, false)
		known, unknown := p.Track("known", 2_000_000), p.Track("unknown", 0)
		known.Add(1_500_000)
		known.Add(-500_000)
		known.Done()
		unknown.Add(5)
		unknown.Done()
		p.Close()
		require.Contains(t, out.String(), "known: stopped at 1.0 MB of 2.0 MB (50%)\n")
		require.Contains(t, out.String(), "unknown: done, 5 B in 0s\n")
	})
}

func TestPlainSaysThatASmallTransferLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newPlain(&out, false)
		slow := p.Track("slow", 10)
		time.Sleep(plainInterval + time.Second)
		slow.Done()
		p.Close()
		require.Contains(t, out.String(), "slow: 0 B of 10 B (0%)\n")
	})
}

func TestPlainCloseTwice(*testing.T) {
	p := newPlain(io.Discard, false)
	p.Close()
	p.Close()
}

func TestColor(t *testing.T) {
	for _, color := range []bool{false, true} {
		var out bytes.Buffer
		p := newPlain(&out, color)
		p.Step("step")
		p.Close()
		require.Equal(t, color, strings.Contains(out.String(), "\x1b["))
	}
}

func TestBars(t *testing.T) {
	var out bytes.Buffer
	b := newBars(&out, false, mpb.WithRefreshRate(time.Millisecond))
	b.Step("pushing %s", "keda")
	tracker := b.Track("a-name-that-is-far-too-long-for-the-column-it-has", 1000)
	unknown := b.Track("unknown", 0)
	tracker.Add(2000)
	tracker.Add(-1500)
	unknown.Add(7)
	time.Sleep(50 * time.Millisecond)
	tracker.Done()
	tracker.Done()
	tracker.Add(1)
	b.Close()
	b.Close()
	b.Step("dropped")
	b.Track("late", 1).Done()
	require.Contains(t, out.String(), "pushing keda\n")
	require.Contains(t, out.String(), "a-name-that-is-far-too-long-for-the-col…")
	require.Contains(t, out.String(), "500.0 b / 1.0 KB")
	require.Contains(t, out.String(), "7.0 b")
	require.NotContains(t, out.String(), "dropped")
}

func TestConcurrentUse(t *testing.T) {
	for _, mode := range Modes() {
		t.Run(string(mode), func(*testing.T) {
			d := New(io.Discard, Options{Mode: mode})
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { useHard(d) })
			}
			all.Wait()
			d.Close()
		})
	}
}

func useHard(r Reporter) {
	for i := range 50 {
		tracker := r.Track("blob", int64(i)<<16)
		r.Step("step %d", i)
		tracker.Add(int64(i) << 15)
		tracker.Done()
	}
}
