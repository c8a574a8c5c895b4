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

// Until calls ask until it returns nil, or an error that wraps final and that waiting
// does not improve, and returns that. It pauses between the calls. With a nil final it
// waits for nil only. If ctx ends first, the error has ask's last error and the cause of
// ctx. A wait of more than a few seconds reports what it waits for.
func Until(ctx context.Context, pause time.Duration, final error, ask func(context.Context) error) error {
	w := wait{begun: time.Now()}
	for {
		err := ask(ctx)
		if err == nil || final != nil && errors.Is(err, final) {
			return err
		}
		if ctx.Err() == nil {
			w.report(ctx, err)
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

func (w *wait) report(ctx context.Context, err error) {
	now, reason := time.Now(), oneLine(err.Error())
	silence := now.Sub(w.begun)
	if !w.said.IsZero() {
		silence = now.Sub(w.said)
	}
	if silence < quiet || silence < heartbeat && reason == w.reason {
		return
	}
	w.said, w.reason = now, reason
	progress.From(ctx).Step("still waiting after %s: %s", now.Sub(w.begun).Round(time.Second), reason)
}
