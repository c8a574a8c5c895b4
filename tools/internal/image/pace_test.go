package image

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func TestPace(t *testing.T) {
	require.Equal(t, 900, Pace(catalog.Costs{}, 900), "nothing to calibrate by")
	once := catalog.Costs{Calibration: int(calibrated().Milliseconds())}
	require.Equal(t, 900, Pace(once, 900), "the machine of the record")
	require.InDelta(t, 450, Pace(catalog.Costs{Calibration: 2 * once.Calibration}, 900), 1, "this one is twice as fast")
	require.Less(t, calibrated(), time.Minute)
	require.Positive(t, Elapsed(1))
}

// TestExpect counts what is compiled, and not what is in the cache.
func TestExpect(t *testing.T) {
	v := locked(t)
	ctx, w := progress.WithWork(t.Context(), "compiling images")
	require.NoError(t, Expect(ctx, catalog.Costs{}, nil, v))
	end := progress.Begin(ctx, progress.Job{ID: "other", Name: "other"})
	require.Equal(t, "compiling images: 1 of 1 (other), 0s elapsed", w.String())
	end()

	freshCache(t)
	s := &steps{}
	ctx, w = progress.WithWork(progress.With(t.Context(), s), "compiling images")
	require.NoError(t, Expect(ctx, catalog.Costs{}, nil, v, v))
	Unneeded(ctx, v)
	other := progress.Begin(ctx, progress.Job{ID: "other", Name: "other"})
	require.Equal(t, "compiling images: 1 of 1 (other), 0s elapsed", w.String(), "it is not counted any more")
	other()

	ctx, w = progress.WithWork(progress.With(t.Context(), s), "compiling images")
	require.NoError(t, Expect(ctx, catalog.Costs{}, nil, v))
	line := ""
	s.then = func(string) { line = w.String() }
	_, err := Build(ctx, v, Options{})
	require.NoError(t, err)
	require.Regexp(t, `^compiling images: 1 of 1 \(sample/server\), [0-9]+s elapsed, (about|less than) .* left$`, line)
}
