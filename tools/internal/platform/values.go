package platform

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/inputs"
)

// development is the environment of clusters on one machine: its values ask
// for little CPU and memory.
const development = "dev"

// Given are the values of one package, with the files that they are from.
type Given struct {
	// Values are what ytt gets.
	Values []bundle.ValuesFile
	From   inputs.Inputs
}

// Values reads the values of packages: files maps package names, as [catalog.Catalog.FindPackage]
// takes them, to files that the user named, and the development environment of the checkout, if
// there is one, has those of other packages. Its overlays are the platform
// package's to give; values here must not refer to what they add.
func Values(ctx context.Context, c *catalog.Catalog, files map[string]string) (map[string]Given, error) {
	values, err := developmentValues(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading the development values: %w", err)
	}
	chosen, err := readValues(c, files)
	maps.Copy(values, chosen)
	return values, err
}

func developmentValues(ctx context.Context, c *catalog.Catalog) (map[string]Given, error) {
	values := map[string]Given{}
	names, err := c.Environments()
	if err != nil || !slices.Contains(names, development) {
		return values, err
	}
	e, err := c.Environment(development)
	if err != nil {
		return nil, err
	}
	for _, p := range c.Packages {
		from := environment.Given(c, e, p.Name)
		given := from.Given()
		if len(from.Values) == 0 || len(from.Values[0].Below) > 0 { // a part of a file is no file
			text, err := environment.Values(ctx, c, e, p.Name)
			if err != nil {
				return nil, err
			}
			if text == nil {
				continue
			}
			given = []bundle.ValuesFile{{Name: catalog.ValuesFile, Data: text}}
		}
		values[p.Name] = Given{given, from}
	}
	return values, nil
}

// valuesOf are a package's values. One that installs others makes its installs
// where it is installed itself, unless its values say otherwise.
func (p *Plan) valuesOf(v *catalog.Version) ([]bundle.ValuesFile, error) {
	given := p.options.Values[v.Package.Name]
	for _, file := range given.From.Values {
		if _, err := file.Values(); err != nil {
			return nil, err
		}
	}
	if len(v.Installed()) == 0 {
		return given.Values, nil
	}
	here := bundle.ValuesFile{Name: "--namespace", Data: fmt.Appendf(nil, "namespace: %q\n", p.options.Namespace)}
	return append([]bundle.ValuesFile{here}, given.Values...), nil
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
		from := inputs.Of(p.Name, file)
		values[p.Name] = Given{from.Given(), from}
	}
	return values, nil
}
