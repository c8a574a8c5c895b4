package upstream_test

import (
	"os"
	"testing"

	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

func TestMain(m *testing.M) {
	if code, isChild := child.Enter(upstream.Jobs()...); isChild {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
