package kapp

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"sync"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// lines passes on what kapp says while it works. Of all that it prints, the
// lines that begin with the time are events; the rest are tables for people
// who run kapp by hand.
type lines struct {
	report progress.Reporter

	mu      sync.Mutex
	partial []byte
	event   string
}

func newLines(ctx context.Context) *lines {
	return &lines{report: progress.From(ctx)}
}

// Write takes text in pieces of any size.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.partial = rest
		if text := event(string(line)); text != "" {
			l.event = text
			l.report.Step("kapp: %s", text)
		}
	}
}

// event is an event's text without its time and ornament, or empty.
func event(line string) string {
	found := regexp.MustCompile(`^\d{1,2}:\d\d:\d\d[AP]M: (?:-+ )?(.*?)(?: -+)?$`).FindStringSubmatch(line)
	if found == nil {
		return ""
	}
	return found[1]
}

// last is the latest event as an error, for a deployment that is given up.
func (l *lines) last() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.event == "" {
		return nil
	}
	return errors.New("the last that kapp said: " + l.event)
}
