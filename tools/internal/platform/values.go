package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// developmentDir is the environment of clusters on one machine, below the
// checkout: its values ask for little CPU and memory.
const developmentDir = "config/dev"

// Values reads the values of packages: files maps package names to files
// that the user named, and the development environment of the checkout
// (config/dev/NAME.yml) has those of other packages.
func Values(c *catalog.Catalog, files map[string]string) (map[string][]byte, error) {
	values := map[string][]byte{}
	for _, p := range c.Packages {
		data, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(developmentDir), p.Name+".yml"))
		switch {
		case err == nil:
			values[p.Name] = data
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("reading the development values of %s: %w", p.Name, err)
		}
	}
	chosen, err := readValues(c, files)
	maps.Copy(values, chosen)
	return values, err
}

func readValues(c *catalog.Catalog, files map[string]string) (map[string][]byte, error) {
	values := map[string][]byte{}
	for name, file := range files {
		if _, err := c.Package(name); err != nil {
			return nil, fmt.Errorf("giving values to a package: %w", err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the values of %s: %w", name, err)
		}
		values[name] = data
	}
	return values, nil
}
