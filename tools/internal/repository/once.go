package repository

import (
	"sync"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

// once builds each version a single time, for however many others are made of it.
// Only fresh builds need it: for the others the cache does the same.
type once struct {
	mu     sync.Mutex
	builds map[*catalog.Version]func() (*bundle.Bundle, error)
}

func newOnce() *once {
	return &once{builds: map[*catalog.Version]func() (*bundle.Bundle, error){}}
}

// do gives what the version's first call gave, and waits for that one. Without a
// run that calls belong to, each builds.
func (o *once) do(v *catalog.Version, build func() (*bundle.Bundle, error)) (*bundle.Bundle, error) {
	if o == nil {
		return build()
	}
	o.mu.Lock()
	first := o.builds[v]
	if first == nil {
		first = sync.OnceValues(build)
		o.builds[v] = first
	}
	o.mu.Unlock()
	return first()
}
