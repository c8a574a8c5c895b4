// Package retry is how the tools try something again: it says which attempt follows
// and why, waits, and ends with the context. Every loop that repeats what failed goes
// through it, so that nobody looks at a silent terminal while a registry is down.
//
// It must not know what is tried, nor which failures pass. Start reading at
// [Attempt.Pause], for what has a number of attempts, and [Until], for what has the
// time of its context.
package retry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// Attempt is one that failed and after which another one follows.
type Attempt struct {
	// What happened, in part of a sentence: "registry.example.com does not answer".
	What string
	// Why has details; it may be empty.
	Why string
	// Failed counts the attempts so far, and Max all that there may be; 0 is no bound.
	Failed, Max int
	// Wait is the pause before the next attempt.
	Wait time.Duration
}

// String is the line that people see.
func (a Attempt) String() string {
	line := fmt.Sprintf("%s, attempt %d", a.What, a.Failed+1)
	if a.Max > 0 {
		line += fmt.Sprintf(" of %d", a.Max)
	}
	if a.Wait >= time.Second {
		line += " in " + a.Wait.Round(time.Second).String()
	}
	if a.Why != "" {
		line += ": " + oneLine(a.Why)
	}
	return line
}

// oneLine is the first line of a text: what tools print is shown whole when no attempt
// is left.
func oneLine(text string) string {
	first, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	if more {
		first += " …"
	}
	return first
}

// Pause reports the attempt and waits until the next one may begin. The error is that
// of a context that ended meanwhile. Sleep takes the clock's place in tests; nil is the
// clock.
func (a Attempt) Pause(ctx context.Context, sleep func(context.Context, time.Duration) error) error {
	progress.From(ctx).Step("%s", a)
	if sleep == nil {
		sleep = Sleep
	}
	return sleep(ctx, a.Wait)
}

// Sleep waits, or returns the context's error as soon as it ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
