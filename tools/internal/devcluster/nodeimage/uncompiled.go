package nodeimage

import (
	"context"
	"fmt"
	"os"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/gotool"
)

// MissingModules returns which share of the modules of a part of the node image is not
// in Go's module cache, from 0 to 1.
func MissingModules(name string, caches gotool.Caches) (float64, error) {
	sum, err := inputs.ReadFile("modules/" + name + ".sum")
	if err != nil {
		return 0, fmt.Errorf("reading the embedded module %s: %w", name, err)
	}
	return caches.Missing(sum), nil
}

// Uncompiled are the names of the modules whose programs [Build] would compile, since
// they are not in the cache: "kubernetes", "etcd" and so on.
func Uncompiled(ctx context.Context) ([]string, error) {
	var names []string
	for _, m := range modules() {
		file, err := parseModule(m.name)
		if err != nil {
			return nil, err
		}
		key, err := programsKey(ctx, m.name, linkerFlags(m, requiredVersion(file, m.upstream)))
		if err != nil {
			return nil, err
		}
		dir, err := cache.Dir(ProgramsCache, m.name+"-"+key)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); err != nil {
			names = append(names, m.name)
		}
	}
	return names, nil
}
