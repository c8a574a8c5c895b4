package environment

import (
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/inputs"
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
		in.Values = append(in.Values, inputs.File{Name: s.Name, Data: s.Data})
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
	packages, _ := e.Values[packagesKey].(map[string]any)
	entry, _ := packages[name].(map[string]any)
	overlays, _ := entry[overlaysKey].(map[string]any)
	places := map[string]inputs.Overlay{}
	for key := range overlays {
		if file := e.OverlayFiles[name][key]; file != "" {
			places[key] = inputs.Overlay{File: file}
		} else if at, found := inputs.Text(values, []string{packagesKey, name, overlaysKey, key}); found {
			places[key] = at
		}
	}
	return places
}
