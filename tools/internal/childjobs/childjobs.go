// Package childjobs lists the work that strake does in child processes of itself, for
// its main function and for the tests of every package that starts such a process.
// What a job does is in the package that starts it.
package childjobs

import (
	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/upstream"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// Enter does the job of this process, if strake started it for one: it then returns
// true and the exit code. A main function calls it before anything else.
func Enter() (code int, isChild bool) {
	return child.Enter(append(upstream.Jobs(), ytt.Job(), gocache.Job())...)
}

// Run does the job of this process, or runs the tests, and returns the exit code. A
// test whose code renders or fetches calls it in its TestMain.
func Run(tests interface{ Run() int }) int {
	if code, isChild := Enter(); isChild {
		return code
	}
	return tests.Run()
}
