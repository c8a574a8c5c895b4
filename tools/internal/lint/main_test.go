package lint

import (
	"os"
	"testing"

	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/upstream"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// TestMain lets the test's program be its own vendir and ytt.
func TestMain(m *testing.M) {
	if code, isChild := child.Enter(append(upstream.Jobs(), ytt.Job())...); isChild {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
