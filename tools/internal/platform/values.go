package platform

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// development is the environment of clusters on one machine: its values ask
// for little CPU and memory.
const development = "dev"

// Values reads the values of packages: files maps package names, as [catalog.Catalog.FindPackage]
// takes them, to files that the user named, and the development environment of the checkout, if
// there is one, has those of other packages. Its overlays are the platform
// package's to give; values here must not refer to what they add.
func Values(c *catalog.Catalog, files map[string]string) (map[string][]byte, error) {
	values, err := developmentValues(c)
	if err != nil {
		return nil, fmt.Errorf("reading the development values: %w", err)
	}
	chosen, err := readValues(c, files)
	maps.Copy(values, chosen)
	return values, err
}

func developmentValues(c *catalog.Catalog) (map[string][]byte, error) {
	names, err := c.Environments()
	if err != nil || !slices.Contains(names, development) {
		return map[string][]byte{}, err
	}
	e, err := c.Environment(development)
	if err != nil {
		return nil, err
	}
	values := maps.Clone(e.Beside)
	for _, p := range c.Packages {
		if own, _ := e.Package(p.Name); own != nil {
			if values[p.Name], err = yaml.Marshal(own); err != nil {
				return nil, fmt.Errorf("printing those of %s: %w", p.Name, err)
			}
		}
	}
	if c.Repository.Platform != "" {
		if values[c.Repository.Platform], err = yaml.Marshal(e.Values); err != nil {
			return nil, fmt.Errorf("printing those of %s: %w", c.Repository.Platform, err)
		}
	}
	return values, nil
}

// valuesOf are a package's values. One that installs others makes its installs
// where it is installed itself, unless its values say otherwise.
func (p *Plan) valuesOf(v *catalog.Version) ([]byte, error) {
	given := p.options.Values[v.Package.Name]
	if len(v.Installed()) == 0 {
		return given, nil
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(given, &values); err != nil {
		return nil, fmt.Errorf("reading the values of %s: %w", v.Package.Name, err)
	}
	if _, set := values["namespace"]; !set {
		values["namespace"] = p.options.Namespace
	}
	return yaml.Marshal(values)
}

func readValues(c *catalog.Catalog, files map[string]string) (map[string][]byte, error) {
	values := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p, err := c.FindPackage(name)
		if err != nil {
			return nil, fmt.Errorf("giving values to a package: %w", err)
		}
		data, err := os.ReadFile(files[name])
		if err != nil {
			return nil, fmt.Errorf("reading the values of %s: %w", name, err)
		}
		values[p.Name] = data
	}
	return values, nil
}
