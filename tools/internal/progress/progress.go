// Package progress tells a person how long work is getting on: whole lines
// for steps, and counted bytes for transfers. Stages find a [Reporter] in
// their context; only the commands know whether it draws bars on a terminal
// or prints plain lines.
package progress

import "context"

// Reporter receives what a stage is doing. Implementations are safe for
// concurrent use.
type Reporter interface {
	// Step says, as one line, what begins or has happened.
	Step(format string, args ...any)
	// Track begins a transfer of total bytes; 0 means that nobody knows.
	Track(name string, total int64) Tracker
}

// Tracker counts one transfer.
type Tracker interface {
	// Add reports n more bytes; a negative n takes back what must be sent again.
	Add(n int64)
	// Done ends the transfer, whether it was completed or not.
	Done()
}

type key struct{}

// With gives the stages below ctx a reporter.
func With(ctx context.Context, r Reporter) context.Context {
	return context.WithValue(ctx, key{}, r)
}

// From is the reporter of ctx, or one that says nothing.
func From(ctx context.Context) Reporter {
	if r, ok := ctx.Value(key{}).(Reporter); ok {
		return r
	}
	return silent{}
}

type silent struct{}

func (silent) Step(string, ...any)         {}
func (silent) Track(string, int64) Tracker { return silent{} }
func (silent) Add(int64)                   {}
func (silent) Done()                       {}
