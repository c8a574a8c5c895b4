package cli

import (
	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/upstream"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// Child does the work of a process that strake has started of itself, if this is one:
// then it returns true, and the exit code. Whoever calls [Run] must call it first.
func Child() (code int, isChild bool) {
	return child.Enter(append(upstream.Jobs(), ytt.Job(), gocache.Job())...)
}
