package child

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// EnvMemory is the environment variable that changes how much memory a child may use,
// as Kubernetes writes it: 4Gi.
const EnvMemory = "STRAKE_CHILD_MEMORY"

// watchInterval is how often a child's memory is looked at. Go can take about 100 MB of
// new memory meanwhile.
const watchInterval = 50 * time.Millisecond

// groupEvery is at which of these looks the memory of what the child has started is added.
// That takes a read for each process of the machine, and a fifth of a processor if it were
// done each time.
const groupEvery = 20

// MemoryError says that a child was killed because it used too much memory.
type MemoryError struct {
	// Limit is in bytes.
	Limit int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("it requires more memory than the limit of %s; find what grows without end, or raise the limit with %s",
		resource.NewQuantity(e.Limit, resource.BinarySI), EnvMemory)
}

func memoryLimit(preset int64) (int64, error) {
	text := os.Getenv(EnvMemory)
	if text == "" {
		return preset, nil
	}
	limit, err := resource.ParseQuantity(text)
	if err != nil || limit.Value() <= 0 {
		return 0, fmt.Errorf("%s=%q is not an amount of memory such as 4Gi; correct or unset it", EnvMemory, text)
	}
	return limit.Value(), nil
}

// watch kills the child when it and what it has started use more memory than they may.
func (p *Process) watch(ended <-chan struct{}) {
	if p.limit == 0 {
		return
	}
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for look := 1; ; look++ {
		select {
		case <-ended:
			return
		case <-tick.C:
			used := resident
			if look%groupEvery == 0 {
				used = residentGroup
			}
			if used(p.pid) > p.limit {
				p.over.Store(true)
				p.Kill()
				return
			}
		}
	}
}
