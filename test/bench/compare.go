package main

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// contender is one tool that does a piece of work.
type contender struct {
	tool string
	run  func(context.Context) (sample, error)
}

// samples are a contender's, one a round.
type samples []sample

// compare measures all contenders round by round and returns the samples of
// each. The first round only warms caches and is not counted. In each round,
// every contender takes its turn, and each round begins with another one: a
// machine that becomes slower or faster meanwhile does so for all of them.
func (b *bench) compare(ctx context.Context, contenders ...contender) ([]samples, error) {
	all := make([]samples, len(contenders))
	for round := range b.rounds + 1 {
		for turn := range contenders {
			i := (round + turn) % len(contenders)
			s, err := contenders[i].run(ctx)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				all[i] = append(all[i], s)
			}
		}
	}
	return all, nil
}

// spread is the median of several figures, with the least and the largest.
type spread[T cmp.Ordered] struct{ least, median, largest T }

func spreadOf[T cmp.Ordered](figures []T) spread[T] {
	sorted := slices.Sorted(slices.Values(figures))
	return spread[T]{sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]}
}

func (s samples) walls() spread[time.Duration] {
	var walls []time.Duration
	for _, one := range s {
		walls = append(walls, one.wall)
	}
	return spreadOf(walls)
}

func (s samples) peaks() spread[int64] {
	var peaks []int64
	for _, one := range s {
		peaks = append(peaks, one.peak)
	}
	return spreadOf(peaks)
}

// timesOf are the ratios of s to base, each between two samples of one round.
func (s samples) timesOf(base samples) spread[float64] {
	var ratios []float64
	for i := range s {
		ratios = append(ratios, float64(s[i].wall)/float64(base[i].wall))
	}
	return spreadOf(ratios)
}
