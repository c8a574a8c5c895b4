package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCompareTakesTurns(t *testing.T) {
	var order string
	takes := func(tool string, wall time.Duration) contender {
		return contender{tool, func(context.Context) (sample, error) {
			order += tool
			return sample{wall: wall, peak: int64(wall)}, nil
		}}
	}
	b := &bench{rounds: 3}
	all, err := b.compare(t.Context(), takes("a", 2), takes("b", 4), takes("c", 8))
	require.NoError(t, err)
	require.Equal(t, "abcbcacababc", order, "a warm-up, then three rounds that each begin with another tool")
	require.Len(t, all[0], 3)
	require.Equal(t, spread[float64]{2, 2, 2}, all[1].timesOf(all[0]))
	require.Equal(t, spread[int64]{8, 8, 8}, all[2].peaks())
}

func TestTimesOfComparesWithinARound(t *testing.T) {
	base := samples{{wall: 1}, {wall: 10}, {wall: 2}}
	require.Equal(t, spread[float64]{1, 2, 3}, samples{{wall: 2}, {wall: 10}, {wall: 6}}.timesOf(base))
}
