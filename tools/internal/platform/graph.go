package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// task is one part of a plan. It begins as soon as what it depends on is done, beside
// other tasks.
type task struct {
	// says is what the task does, for people; empty for one that only helps others.
	says string
	do   func(context.Context, *state) error
	// after must have succeeded before the task begins; without them it is skipped.
	after []*task
	// follows must have ended, whatever the outcome: tasks that must not run at once.
	follows []*task
	// slots bounds how many tasks that share it run at once; nil is no bound.
	slots chan struct{}
	// vital tells that nothing is of use without the task: its failure ends all others.
	vital bool

	ended chan struct{}
	err   error
}

// skippedError is of a task that did not begin, since another one failed.
type skippedError struct{ task, failed *task }

func (e skippedError) Error() string {
	return fmt.Sprintf("%s: skipped, since this failed: %s", e.task.says, e.failed.says)
}

// run does all tasks, each as early as it can, and returns when all have ended. A task
// that fails does not stop those that do not depend on it. The error joins all
// failures in the order of the tasks; that of a vital task stands alone.
func run(ctx context.Context, tasks []*task, s *state) error {
	outer := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for _, t := range tasks {
		t.ended = make(chan struct{})
	}
	total := len(said(tasks))
	number := 0
	var group sync.WaitGroup
	for _, t := range tasks {
		if t.says != "" {
			number++
		}
		at := fmt.Sprintf("%d/%d", number, total)
		group.Go(func() {
			defer close(t.ended)
			if t.err = t.run(ctx, at, s); t.err != nil && t.vital {
				stop(t.err)
			}
		})
	}
	group.Wait()
	if err := context.Cause(outer); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var errs []error
	for _, t := range tasks {
		errs = append(errs, t.err)
	}
	return errors.Join(errs...)
}

func (t *task) run(ctx context.Context, at string, s *state) error {
	for _, before := range slices.Concat(t.follows, t.after) {
		select {
		case <-before.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for _, before := range t.after {
		if before.err != nil {
			return skippedError{t, before.origin()}
		}
	}
	if t.slots != nil {
		select {
		case t.slots <- struct{}{}:
			defer func() { <-t.slots }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if t.says != "" {
		progress.From(ctx).Step("%s %s", at, t.says)
	}
	return t.do(ctx, s)
}

// origin is the task whose failure made t fail.
func (t *task) origin() *task {
	if skipped := (skippedError{}); errors.As(t.err, &skipped) {
		return skipped.failed
	}
	return t
}

// said are the tasks that people are told of.
func said(tasks []*task) []*task {
	var list []*task
	for _, t := range tasks {
		if t.says != "" {
			list = append(list, t)
		}
	}
	return list
}
