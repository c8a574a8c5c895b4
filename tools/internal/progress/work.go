package progress

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Job is one thing of a [Work].
type Job struct {
	// ID tells jobs apart; Name is what people see.
	ID, Name string
	// Expected is how long the job takes where it has the machine to itself; 0 where
	// nobody knows.
	Expected time.Duration
}

// Work shows slow jobs, some of which may run side by side, as one line:
//
//	compiling images: 3 of 8 (keda/keda), 2m10s elapsed, about 6m left
//
// A terminal has the line for as long as a job runs, and a file gets it when a job
// begins or ends, and once a minute. It is safe for concurrent use.
type Work struct {
	title string

	// showing guards line, which is nil while no job runs. A display calls String
	// whenever it likes, so mu is not held while the display is called.
	showing sync.Mutex
	line    liveLine

	mu    sync.Mutex
	jobs  []*job
	first time.Time // when the first job began
}

// job is one of a [Work] and how far it is.
type job struct {
	Job
	begun time.Time
	took  time.Duration
	// runs is how often it runs now: two stages may do the same.
	runs int
}

func (j *job) ended() bool { return !j.begun.IsZero() && j.runs == 0 }

type workKey struct{}

// WithWork gives the stages below ctx a Work, to which [Begin] adds.
func WithWork(ctx context.Context, title string) (context.Context, *Work) {
	w := &Work{title: title}
	return context.WithValue(ctx, workKey{}, w), w
}

// Expect adds jobs that are going to begin. One whose ID is there already stays as it is.
func Expect(ctx context.Context, jobs ...Job) {
	w, ok := ctx.Value(workKey{}).(*Work)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range jobs {
		w.find(j)
	}
}

// Begin says that a job has begun; the function that it returns says that it has ended.
// A job that nobody expected is added.
func Begin(ctx context.Context, j Job) (end func()) {
	w, ok := ctx.Value(workKey{}).(*Work)
	if !ok {
		w = &Work{title: "compiling"}
	}
	w.begin(From(ctx), j)
	return sync.OnceFunc(func() { w.end(From(ctx), j) })
}

// Drop takes back a job that was expected and did not begin, since it need not be done.
func Drop(ctx context.Context, id string) {
	w, ok := ctx.Value(workKey{}).(*Work)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = slices.DeleteFunc(w.jobs, func(j *job) bool { return j.ID == id && j.begun.IsZero() })
}

// find returns the job with an ID, which it adds where there is none; it needs w.mu.
func (w *Work) find(j Job) *job {
	if i := slices.IndexFunc(w.jobs, func(o *job) bool { return o.ID == j.ID }); i >= 0 {
		return w.jobs[i]
	}
	added := &job{Job: j}
	w.jobs = append(w.jobs, added)
	return added
}

func (w *Work) begin(r Reporter, j Job) {
	w.showing.Lock()
	defer w.showing.Unlock()
	w.mu.Lock()
	found := w.find(j)
	found.begun = time.Now()
	found.runs++
	if w.first.IsZero() {
		w.first = found.begun
	}
	w.mu.Unlock()
	if w.line == nil {
		w.line = live(r, w.String)
	}
	w.line.Changed()
}

func (w *Work) end(r Reporter, j Job) {
	w.showing.Lock()
	defer w.showing.Unlock()
	w.mu.Lock()
	found := w.find(j)
	found.took = time.Since(found.begun)
	found.runs--
	running, all, begun, took := len(w.running()), len(w.jobs), w.begun(), time.Since(w.first)
	w.mu.Unlock()
	if running > 0 {
		w.line.Changed()
		return
	}
	w.line.Done()
	w.line = nil
	if begun == all && all > 1 {
		r.Step("%s: all %d done in %s", w.title, all, rounded(took))
	}
}

// String is the line as it is now; empty while no job runs.
func (w *Work) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	running := w.running()
	if len(running) == 0 {
		return ""
	}
	var names []string
	for _, j := range running {
		names = append(names, j.Name)
	}
	text := fmt.Sprintf("%s: %d of %d (%s), %s elapsed", w.title, w.begun(), len(w.jobs), strings.Join(names, ", "), rounded(time.Since(w.first)))
	if w.late() {
		return text + ", longer than estimated"
	}
	if left := w.left(); left > 0 {
		text += ", " + about(left) + " left"
	}
	return text
}

// late reports whether a job runs longer than was expected of it. An estimate of the
// rest would be wrong then.
func (w *Work) late() bool {
	running := w.running()
	return slices.ContainsFunc(running, func(j *job) bool {
		return j.Expected > 0 && time.Since(j.begun)/time.Duration(len(running)) > j.Expected
	})
}

// running, begun, late and left require w.mu.
func (w *Work) running() (list []*job) {
	for _, j := range w.jobs {
		if j.runs > 0 {
			list = append(list, j)
		}
	}
	return list
}

func (w *Work) begun() (n int) {
	for _, j := range w.jobs {
		if !j.begun.IsZero() {
			n++
		}
	}
	return n
}

// left estimates the time until all jobs have ended. Jobs that run side by side share the
// machine. What ended tells how much slower or faster than expected this run is.
func (w *Work) left() time.Duration {
	var expected, took, left time.Duration
	side := time.Duration(max(len(w.running()), 1))
	for _, j := range w.jobs {
		switch {
		case j.Expected == 0 && !j.ended():
			return 0 // a sum without it would be wrong
		case j.ended() && j.Expected == 0:
		case j.ended():
			expected, took = expected+j.Expected, took+j.took
		case j.begun.IsZero():
			left += j.Expected
		default:
			left += max(j.Expected-time.Since(j.begun)/side, 0)
		}
	}
	if expected >= time.Minute && took > 0 {
		left = time.Duration(float64(left) * min(max(took.Seconds()/expected.Seconds(), 0.25), 4))
	}
	return left
}

// rounded is a time as people read it, to the second.
func rounded(d time.Duration) string { return d.Round(time.Second).String() }

// about is an estimate, whose seconds mean nothing.
func about(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	return "about " + strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
