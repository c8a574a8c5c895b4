package environment

import (
	"context"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// Keys of the platform's values that lead to those of a package.
const (
	packagesKey = "packages"
	valuesKey   = "values"
	overlaysKey = "overlays"
)

// Given returns the files in which an environment gives values and overlays to a
// package: to the platform, to one that it installs, or to one beside it.
func Given(c *catalog.Catalog, e *catalog.Environment, name string) inputs.Inputs {
	in := inputs.Inputs{Package: name}
	if name != c.Repository.Platform && e.Beside[name] != nil {
		file := strings.Join([]string{catalog.EnvironmentsDir, e.Name, catalog.BesideDir, name + ".yml"}, "/")
		in.Values = []inputs.File{{Name: file, Data: e.Beside[name]}}
		return in
	}
	for _, s := range e.Sources {
		in.Values = append(in.Values, inputs.File{Name: s.Name, Data: s.Data, Made: s.Made})
	}
	if name == c.Repository.Platform {
		in.Docs = func(keys []string) (string, []string) { return documented(name, keys) }
		return in
	}
	in.Overlays = overlaysOf(e, name, in.Values)
	for i := range in.Values {
		in.Values[i].Below = []string{packagesKey, name, valuesKey}
	}
	return in
}

// Values are the values of a package in an environment, merged by ytt into one YAML document;
// nil where the environment has none.
func Values(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, name string) ([]byte, error) {
	from := Given(c, e, name)
	var below []string
	if len(from.Values) > 0 && len(from.Values[0].Below) > 0 {
		// Whole files are laid over each other, so that is what an error is about.
		from, below = Given(c, e, c.Repository.Platform), from.Values[0].Below
	}
	values, err := ytt.Merged(ctx, from.Given(), below...)
	return values, from.Explain(err)
}

// documented is where a value of the platform is described: those of a package that it
// installs by that package.
func documented(platform string, keys []string) (pkg string, rest []string) {
	if len(keys) > 2 && keys[0] == packagesKey && keys[2] == valuesKey {
		return keys[1], keys[3:]
	}
	return platform, keys
}

// overlaysOf are the places of a package's overlays: files of their own, or texts
// among the values.
func overlaysOf(e *catalog.Environment, name string, values []inputs.File) map[string]inputs.Overlay {
	places := inputs.Texts(values, packagesKey, name, overlaysKey)
	for key, file := range e.OverlayFiles[name] {
		places[key] = inputs.Overlay{File: file}
	}
	return places
}
