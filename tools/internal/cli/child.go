package cli

import "github.com/strake-dev/strake/tools/internal/childjobs"

// Child does the work of a process that strake has started of itself, if this is one:
// then it returns true, and the exit code. Whoever calls [Run] must call it first.
func Child() (code int, isChild bool) { return childjobs.Enter() }

// childMemoryHelp is the part of help about the memory of such processes.
const childMemoryHelp = `Templates run in a process of their own, which ends when it uses more than 2 GiB of
memory. The environment variable STRAKE_CHILD_MEMORY changes the limit, as in 8Gi.`
