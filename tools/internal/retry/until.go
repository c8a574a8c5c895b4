package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/strake-dev/strake/tools/internal/progress"
)

const (
	// quiet is how long a wait may take before it is spoken of, and how far apart two
	// lines of it are at least.
	quiet = 5 * time.Second
	// heartbeat is how far apart they are while the reason stays the same.
	heartbeat = 30 * time.Second
)

// Until asks again and again, with a pause between, until the answer is nil or wraps
// final, which waiting does not improve, and returns that; with a nil final it waits for
// nil alone. Where ctx ends first, the error has the last answer and the context's
// cause. A wait that lasts says what it waits for.
func Until(ctx context.Context, pause time.Duration, final error, ask func(context.Context) error) error {
	w := wait{begun: time.Now()}
	for attempt := 1; ; attempt++ {
		err := ask(ctx)
		if err == nil || final != nil && errors.Is(err, final) {
			return err
		}
		if ctx.Err() == nil {
			w.report(ctx, attempt, err)
		}
		if Sleep(ctx, pause) != nil {
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
}

// wait remembers what was said of it.
type wait struct {
	begun, said time.Time
	reason      string
}

func (w *wait) report(ctx context.Context, attempt int, err error) {
	now, reason := time.Now(), oneLine(err.Error())
	silence := now.Sub(w.begun)
	if !w.said.IsZero() {
		silence = now.Sub(w.said)
	}
	if silence < quiet || silence < heartbeat && reason == w.reason {
		return
	}
	w.said, w.reason = now, reason
	progress.From(ctx).Step("still waiting after %s, attempt %d: %s", now.Sub(w.begun).Round(time.Second), attempt, reason)
}
