package ytt

import (
	"context"
	"fmt"
	"runtime/debug"
)

// turn is held by whoever runs ytt.
var turn = make(chan struct{}, 1) //nolint:gochecknoglobals // what it guards is global in a library

// Alone calls f while no ytt runs, for code of libraries that runs ytt by itself.
func Alone(f func()) {
	turn <- struct{}{}
	defer func() { <-turn }()
	f()
}

// inTurn calls run while no other ytt runs. When ctx ends it returns; a run that has
// begun then keeps its turn until it ends.
func inTurn[T any](ctx context.Context, run func() (T, error)) (T, error) {
	var nothing T
	if err := ctx.Err(); err != nil {
		return nothing, err
	}
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return nothing, ctx.Err()
	}
	type result struct {
		made T
		err  error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-turn }()
		made, err := recovered(run)
		done <- result{made, err}
	}()
	select {
	case r := <-done:
		return r.made, r.err
	case <-ctx.Done():
		return nothing, ctx.Err()
	}
}

// recovered returns a panic of ytt's as an error: it is about the input.
func recovered[T any](run func() (T, error)) (made T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("ytt failed unexpectedly: %v\n%s", r, debug.Stack())
		}
	}()
	return run()
}
