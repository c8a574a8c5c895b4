package platform

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/inputs"
)

// development is the environment of clusters on one machine: its values ask
// for little CPU and memory.
const development = "dev"

// Given are the values of one package, with the files that they are from.
type Given struct {
	// Values is YAML.
	Values []byte
	From   inputs.Inputs
}

// Values reads the values of packages: files maps package names, as [catalog.Catalog.FindPackage]
// takes them, to files that the user named, and the development environment of the checkout, if
// there is one, has those of other packages. Its overlays are the platform
// package's to give; values here must not refer to what they add.
func Values(c *catalog.Catalog, files map[string]string) (map[string]Given, error) {
	values, err := developmentValues(c)
	if err != nil {
		return nil, fmt.Errorf("reading the development values: %w", err)
	}
	chosen, err := readValues(c, files)
	maps.Copy(values, chosen)
	return values, err
}

func developmentValues(c *catalog.Catalog) (map[string]Given, error) {
	values := map[string]Given{}
	names, err := c.Environments()
	if err != nil || !slices.Contains(names, development) {
		return values, err
	}
	e, err := c.Environment(development)
	if err != nil {
		return nil, err
	}
	for name, text := range e.Beside {
		values[name] = Given{text, environment.Given(c, e, name)}
	}
	for _, p := range c.Packages {
		var own any
		switch below, _ := e.Package(p.Name); {
		case p.Name == c.Repository.Platform:
			own = e.Values
		case below != nil:
			own = below
		default:
			continue
		}
		text, err := yaml.Marshal(own)
		if err != nil {
			return nil, fmt.Errorf("printing those of %s: %w", p.Name, err)
		}
		values[p.Name] = Given{text, environment.Given(c, e, p.Name)}
	}
	return values, nil
}

// valuesOf are a package's values. One that installs others makes its installs
// where it is installed itself, unless its values say otherwise.
func (p *Plan) valuesOf(v *catalog.Version) ([]byte, error) {
	given := p.options.Values[v.Package.Name]
	for _, file := range given.From.Values {
		if _, err := file.Values(); err != nil {
			return nil, err
		}
	}
	if len(v.Installed()) == 0 {
		return given.Values, nil
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(given.Values, &values); err != nil {
		return nil, fmt.Errorf("reading the values of %s: %w", v.Package.Name, err)
	}
	if _, set := values["namespace"]; !set {
		values["namespace"] = p.options.Namespace
	}
	return yaml.Marshal(values)
}

// explain names the user's file in an error of rendering a package.
func (p *Plan) explain(v *catalog.Version, err error) error {
	return p.options.Values[v.Package.Name].From.Explain(err)
}

func readValues(c *catalog.Catalog, files map[string]string) (map[string]Given, error) {
	values := map[string]Given{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p, err := c.FindPackage(name)
		if err != nil {
			return nil, fmt.Errorf("giving values to a package: %w", err)
		}
		data, err := os.ReadFile(files[name])
		if err != nil {
			return nil, fmt.Errorf("reading the values of %s: %w", name, err)
		}
		file := inputs.File{Name: files[name], Data: data}
		values[p.Name] = Given{data, inputs.Of(p.Name, file)}
	}
	return values, nil
}
