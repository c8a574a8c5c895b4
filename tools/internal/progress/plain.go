package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	// A transfer that goes on says so this often: rare enough for the log of
	// a CI run, frequent enough to tell slow from stuck.
	plainInterval = 10 * time.Second
	// A smaller transfer is named only when it lasts: most blobs of a push are
	// manifests and configurations of a few kilobytes.
	plainWorthSaying = 1 << 20
)

// plain writes one line for each event, each with the time since the start.
type plain struct {
	start time.Time
	color bool
	stop  chan struct{}
	ended sync.WaitGroup

	mu     sync.Mutex
	w      io.Writer // nil once closed
	active []*plainTracker
	lines  []*plainLine
}

func newPlain(w io.Writer, color bool) *plain {
	p := &plain{start: time.Now(), color: color, stop: make(chan struct{}), w: w}
	p.ended.Go(p.tick)
	return p
}

func (p *plain) Step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(format, args...)
}

func (p *plain) Track(name string, total int64) Tracker {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &plainTracker{plain: p, name: name, total: total, since: time.Now()}
	p.active = append(p.active, t)
	if total <= 0 || total >= plainWorthSaying {
		t.said = true
		p.line("%s: %s", name, t.begin())
	}
	return t
}

func (p *plain) Close() {
	p.mu.Lock()
	open := p.w != nil
	p.w = nil
	p.mu.Unlock()
	if open {
		close(p.stop)
	}
	p.ended.Wait()
}

func (p *plain) tick() {
	ticker := time.NewTicker(plainInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.report()
			p.beat()
		}
	}
}

func (p *plain) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.active {
		// One that has only just begun has said so already.
		if time.Since(t.since) >= plainInterval/2 {
			t.said = true
			p.line("%s: %s", t.name, t.progress())
		}
	}
}

// line needs p.mu.
func (p *plain) line(format string, args ...any) {
	if p.w == nil {
		return
	}
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	fmt.Fprintf(p.w, "%s %s\n", dim(elapsed(p.start), p.color), text)
}

// plainTracker's fields are guarded by plain.mu.
type plainTracker struct {
	plain *plain
	name  string
	total int64
	count int64
	since time.Time
	said  bool
	done  bool
}

func (t *plainTracker) Add(n int64) {
	t.plain.mu.Lock()
	defer t.plain.mu.Unlock()
	t.count += n
}

func (t *plainTracker) Done() {
	t.plain.mu.Lock()
	defer t.plain.mu.Unlock()
	if t.done {
		return
	}
	t.done = true
	t.plain.active = slices.DeleteFunc(t.plain.active, func(o *plainTracker) bool { return o == t })
	if t.said {
		t.plain.line("%s: %s", t.name, t.end())
	}
}

func (t *plainTracker) begin() string {
	if t.total <= 0 {
		return "started"
	}
	return size(t.total)
}

func (t *plainTracker) progress() string {
	if t.total <= 0 {
		return size(t.count) + " so far"
	}
	return fmt.Sprintf("%s of %s (%d%%)", size(t.count), size(t.total), 100*t.count/t.total)
}

func (t *plainTracker) end() string {
	if t.count < t.total {
		return "stopped at " + t.progress()
	}
	return fmt.Sprintf("done, %s in %s", size(t.count), time.Since(t.since).Round(100*time.Millisecond))
}

// size never sees less than nothing, unless a stage takes back more than it
// reported.
func size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

func elapsed(start time.Time) string {
	return fmt.Sprintf("%7.1fs", time.Since(start).Seconds())
}
