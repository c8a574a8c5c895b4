package image

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gotool"
)

// MissingModules returns which share of the modules that images of a version are
// compiled from is not in Go's module cache, from 0 to 1. The module of the commands is
// there early, since manifests come out of it too.
func MissingModules(v *catalog.Version, images []catalog.LockedImage, caches gotool.Caches) (float64, error) {
	var homes []string
	var sums []byte
	for _, locked := range images {
		img, err := declared(v, locked.Name)
		if err != nil {
			return 0, err
		}
		maker, img := v.Maker(img)
		home := maker.Module(img.Command)
		if slices.Contains(homes, home) {
			continue
		}
		homes = append(homes, home)
		sum, err := os.ReadFile(filepath.Join(home, "go.sum"))
		if err != nil && !os.IsNotExist(err) { // a module without dependencies has none
			return 0, err
		}
		sums = append(sums, sum...)
	}
	return caches.Missing(sums), nil
}
