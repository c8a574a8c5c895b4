package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	// Names of transfers line up in a column of this width.
	barName  = 40
	barWidth = 120
)

// bars draws a live bar for each transfer, below the lines of the steps.
type bars struct {
	start time.Time
	color bool
	out   *mpb.Progress
	close sync.Once

	mu   sync.Mutex
	open []*mpb.Bar
}

func newBars(w io.Writer, color bool, more ...mpb.ContainerOption) *bars {
	// Auto refresh is what a terminal has anyway; without it nothing at all
	// would be written elsewhere, where somebody asked for bars all the same.
	options := append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithWidth(barWidth), mpb.WithAutoRefresh()}, more...)
	return &bars{start: time.Now(), color: color, out: mpb.New(options...)}
}

func (b *bars) Step(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	// The only error is that of a display that is closed, which drops lines.
	_, _ = fmt.Fprintf(b.out, "%s %s\n", dim(elapsed(b.start), b.color), text)
}

func (b *bars) Track(name string, total int64) Tracker {
	bar := b.add(style(total).Build(), decorators(name, total)...)
	if bar == nil {
		return silent{}
	}
	// Set after the bar is made, so that reaching the total does not end it:
	// a part of a transfer may have to be sent again.
	bar.SetTotal(max(total, 0), false)
	return &barTracker{bar: bar}
}

// add returns nil where the display is closed.
func (b *bars) add(filler mpb.BarFiller, options ...mpb.BarOption) *mpb.Bar {
	bar, err := b.out.Add(0, filler, options...)
	if err != nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = append(slices.DeleteFunc(b.open, (*mpb.Bar).Aborted), bar)
	return bar
}

// Close takes the bars away one by one: mpb leaves those on the screen that are not
// done when it is shut down.
func (b *bars) Close() {
	b.close.Do(func() {
		b.mu.Lock()
		open := b.open
		b.mu.Unlock()
		for _, bar := range open {
			bar.Abort(true)
		}
		for _, bar := range open {
			bar.Wait()
		}
		b.out.Shutdown()
	})
}

func style(total int64) mpb.BarFillerBuilder {
	if total <= 0 {
		return mpb.SpinnerStyle().PositionLeft()
	}
	return mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]")
}

func decorators(name string, total int64) []mpb.BarOption {
	counters := decor.CountersKiloByte(" % .1f / % .1f")
	if total <= 0 {
		counters = decor.CurrentKiloByte(" % .1f")
	}
	return []mpb.BarOption{
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(shorten(name), decor.WC{W: barName + 1, C: decor.DindentRight})),
		mpb.AppendDecorators(counters, decor.AverageSpeed(decor.SizeB1000(0), " % .1f")),
	}
}

func shorten(name string) string {
	if r := []rune(name); len(r) > barName {
		return string(r[:barName-1]) + "…"
	}
	return name
}

type barTracker struct{ bar *mpb.Bar }

func (t *barTracker) Add(n int64) { t.bar.IncrInt64(n) }

// Done takes the bar away: what a transfer amounted to is for a step to say.
func (t *barTracker) Done() { t.bar.Abort(true) }
