package environment_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
	"github.com/strake-dev/strake/tools/internal/strictyaml"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// Keys of the boat: a number, a map without a schema, and a text. The fleet passes them on
// as a text that is parsed once more, as the platform does.
const (
	boatSchema = "#@data/values-schema\n---\n#@schema/type any=True\ncargo: {}\nsails: 1\n#@schema/nullable\nname: \"\"\n"
	boatObject = "#@ load(\"@ytt:data\", \"data\")\n#@ load(\"@ytt:json\", \"json\")\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: boat, namespace: sea}\n" +
		"data:\n  values: #@ json.encode({\"cargo\": data.values.cargo, \"sails\": data.values.sails, \"name\": data.values.name})\n"
	fleetSchema = "#@ load(\"@ytt:template\", \"template\")\n#@ load(\"/schemas.star\", \"schemas\")\n#@data/values-schema\n---\npackages:\n  boat:\n    enabled: true\n    _: #@ template.replace(schemas[\"boat\"]())\n"
	fleetObject = "#@ load(\"@ytt:data\", \"data\")\n#@ load(\"@ytt:yaml\", \"yaml\")\n#@ load(\"/installs.star\", \"installs\")\n---\n" +
		"apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: boat, namespace: sea}\nspec:\n  packageRef:\n    refName: #@ installs[0][\"package\"]\n" +
		"    versionSelection: {constraints: 1.0.0}\n  values:\n  - secretRef: {name: values}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: values, namespace: sea}\nstringData:\n" +
		"  values.yml: #@ yaml.encode(data.values.packages.boat.values)\n"
)

// boatYard is a checkout of the two packages.
func boatYard(t testing.TB) *catalog.Catalog {
	t.Helper()
	t.Setenv("STRAKE_CACHE", t.TempDir())
	root := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write("go.mod", "module example.test/yard\n")
	write("repo/repository.yml", "domain: yard.test\ncanonical: registry.yard.test/boats\nversion: 0.1.0\nplatform: fleet\npublished:\n  boat: [1.0.0]\n")
	for name, more := range map[string]string{"boat": "", "fleet": "installs:\n  boat: 1.0.0\n"} {
		write("packages/"+name+"/package.yml", "name: "+name+"\nmetadata:\n  displayName: X\n  shortDescription: X.\n  longDescription: X.\n  providerName: X\n  maintainers: [X]\n  categories: [test]\n  source: https://example.test/x\n")
		write("packages/"+name+"/1.0.0/version.yml", "version: 1.0.0\nreleasedAt: 2026-01-10T00:00:00Z\nreleaseNotes: X.\nlicenses: [Apache-2.0]\nkubernetes: \">=1.29.0\"\nincludes:\n- {name: X, version: 1.0.0, description: X.}\n"+more)
	}
	write("packages/boat/config/schema.yml", boatSchema)
	write("packages/boat/config/boat.yml", boatObject)
	write("packages/fleet/config/schema.yml", fleetSchema)
	write("packages/fleet/config/fleet.yml", fleetObject)
	write("config/base/values.yml", "")
	write("config/sea/environment.yml", "description: Water\nkubernetes: 1.34.4\n")
	write("config/sea/values.yml", "")
	c, err := catalog.Load(root)
	require.NoError(t, err)
	return c
}

func boatOf(t testing.TB, objects []manifest.Object) string {
	t.Helper()
	require.Len(t, objects, 1)
	data, _ := objects[0].Object["data"].(map[string]any)
	text, _ := data["values"].(string)
	return text
}

// belowBoat is a file of values of the boat as one of the fleet, four lines longer.
func belowBoat(text string) string {
	rest, marked := strings.CutPrefix(text, "\ufeff")
	values := "values:"
	if rest == "" || rest[0] == '#' && strings.Count(rest, "\n") == 1 {
		values = "values: {}"
	}
	var out strings.Builder
	if marked {
		out.WriteString("\ufeff")
	}
	fmt.Fprintf(&out, "packages:\n  boat:\n    enabled: true\n    %s\n", values)
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "---") {
			line = "      " + line
		}
		out.WriteString(line)
	}
	return out.String()
}

// routes are all ways of one text to the boat, by the name of its file. An error is that of
// the user's file.
func routes(t *testing.T, c *catalog.Catalog) map[string]func(base, text string) (string, error) {
	t.Helper()
	render := func(e *catalog.Environment) (string, error) {
		packages, err := environment.Render(t.Context(), c, e, "boat")
		if err != nil {
			return "", err
		}
		return boatOf(t, packages[0].Objects), nil
	}
	read := func(base, sea string) (*catalog.Environment, error) {
		for folder, text := range map[string]string{"base": base, "sea": sea} {
			require.NoError(t, os.WriteFile(filepath.Join(c.Root, "config", folder, "values.yml"), []byte(text), 0o644))
		}
		return c.Environment("sea")
	}
	return map[string]func(base, text string) (string, error){
		"config/sea/values.yml": func(base, text string) (string, error) {
			e, err := read(belowBoat(base), belowBoat(text))
			if err != nil {
				return "", err
			}
			return render(e)
		},
		"over.yml": func(base, text string) (string, error) {
			e, err := read(belowBoat(base), "")
			if err != nil {
				return "", err
			}
			file := inputs.File{Name: "over.yml", Data: []byte(belowBoat(text))}
			if _, err := file.Values(); err != nil {
				return "", err
			}
			e.Sources = append(e.Sources, catalog.Source{Name: file.Name, Data: file.Data})
			return render(e)
		},
		"config/base/values.yml": func(base, text string) (string, error) {
			e, err := read(belowBoat(text), "")
			if err != nil || base != "" {
				return "", err
			}
			return render(e)
		},
		"mine": func(base, text string) (string, error) { // render --values-file
			file := inputs.File{Name: "mine", Data: []byte(text)}
			if _, err := file.Values(); err != nil || base != "" {
				return "", err
			}
			p, err := c.Package("boat")
			require.NoError(t, err)
			given := inputs.Of("boat", file)
			objects, err := repository.Render(t.Context(), c, p.Versions[0], given.Given(), bundle.RenderOptions{})
			if err != nil {
				return "", given.Explain(err)
			}
			return boatOf(t, objects), nil
		},
	}
}

// texts are files of values: what each comes to over the base, or the line that is refused
// and why.
var texts = []struct {
	name, base, text, want string
	line                   int
	refused                string
}{
	{"a date", "", "name: 2024-01-01\n", "", 1, "2024-01-01 is a date in YAML 1.1"},
	{"on", "", "cargo:\n  a: on\n", "", 2, "on is a boolean in YAML 1.1"},
	{"a key that is no string", "", "cargo:\n  7: a\n", "", 2, "the key 7 is not a string"},
	{"no number", "", "cargo: .inf\n", "", 1, ".inf is a number that JSON"},
	{"a byte order mark", "", "\ufeffsails: 2\n", "", 1, "byte order mark"},
	{"a second document", "", "sails: 2\n---\nsails: 3\n", "", 3, "a second YAML document"},
	{"a key twice", "", "sails: 2\nsails: 3\n", "", 2, "the key occurs twice"},
	{"an unknown key", "", "sails: 2\nsail: 3\n", "", 2, "unknown key; did you mean sails?"},
	{"a wrong type", "", "sails:\n- 3\n", "", 1, "expected an integer, found a list"},
	{"a fraction of zero", "", "sails: 2.0\n", "", 1, "expected an integer, found 2"},
	{"a template", "", "sails: #@ 1 + 2\n", "", 1, "values are plain YAML, in which ytt evaluates nothing"},
	{"what looks like a template", "", "name: |\n  #@ load()\n", `{"cargo":{},"name":"#@ load()\n","sails":1}`, 0, ""},
	{"null", "", "cargo: null\nname: ~\n", `{"cargo":null,"name":null,"sails":1}`, 0, ""},
	{"quoted", "", "cargo: {a: \"on\", b: '2024-01-01', c: \"0777\", d: \"~\", \"y\": \"1e3\"}\n", `{"cargo":{"a":"on","b":"2024-01-01","c":"0777","d":"~","y":"1e3"},"name":null,"sails":1}`, 0, ""},
	{"an anchor", "", "cargo:\n  a: &a {x: 1}\n  b: *a\n", `{"cargo":{"a":{"x":1},"b":{"x":1}},"name":null,"sails":1}`, 0, ""},
	{"a merge key", "", "cargo:\n  a: &a {x: 1}\n  b:\n    <<: *a\n    z: 2\n", `{"cargo":{"a":{"x":1},"b":{"x":1,"z":2}},"name":null,"sails":1}`, 0, ""},
	{"a merge key over a key", "", "cargo:\n  a: &a {x: 1, z: 1}\n  b:\n    z: 2\n    <<: *a\n", "", 5, "z: << brings a key that is on line "},
	{"two merge keys", "", "cargo:\n  a: &a {x: 1}\n  b:\n    <<: [*a, *a]\n", "", 4, "x: << brings a key that is on line "},
	{"an empty file", "", "", `{"cargo":{},"name":null,"sails":1}`, 0, ""},
	{"a comment", "", "# nothing\n", `{"cargo":{},"name":null,"sails":1}`, 0, ""},
	{"a map merged", "cargo: {a: {x: 1}, b: 1}\n", "cargo: {a: {z: 2}, c: 3}\n", `{"cargo":{"a":{"x":1,"z":2},"b":1,"c":3},"name":null,"sails":1}`, 0, ""},
	{"a list replaced", "cargo: {a: [1, 2, 3]}\n", "cargo: {a: [4]}\n", `{"cargo":{"a":[4]},"name":null,"sails":1}`, 0, ""},
	{"null over a map", "cargo: {a: {x: 1}}\n", "cargo: {a: null}\n", `{"cargo":{"a":null},"name":null,"sails":1}`, 0, ""},
	{"a map over null", "cargo: {a: null}\n", "cargo: {a: {x: 1}}\n", `{"cargo":{"a":{"x":1}},"name":null,"sails":1}`, 0, ""},
	{"a list over a map", "cargo: {a: {x: 1}}\n", "cargo: {a: [1]}\n", `{"cargo":{"a":[1]},"name":null,"sails":1}`, 0, ""},
	{"an empty map over a map", "cargo: {a: {x: 1}}\n", "cargo: {a: {}}\n", `{"cargo":{"a":{"x":1}},"name":null,"sails":1}`, 0, ""},
	{"nothing over values", "sails: 3\n", "# nothing\n", `{"cargo":{},"name":null,"sails":3}`, 0, ""},
	{"a map over a string", "cargo: {a: x}\n", "# more\ncargo:\n  a:\n    x: 1\n", "", 3, "a map cannot go over what an earlier file has here, a string"},
	{"a map over a list", "cargo: [a]\n", "cargo: {a: x}\n", "", 1, "a map cannot go over what an earlier file has here, an array"},
}

// TestValuesMeanTheSameByEveryRoute: one text means the same in the files of an environment,
// in one that is laid over these, and in one for the package alone; and what is wrong with it
// is told with the file and the line.
func TestValuesMeanTheSameByEveryRoute(t *testing.T) {
	c := boatYard(t)
	all := routes(t, c)
	for _, test := range texts {
		t.Run(test.name, func(t *testing.T) {
			for file, route := range all {
				got, err := route(test.base, test.text)
				if test.base != "" && (file == "mine" || file == "config/base/values.yml") {
					continue // nothing is below these
				}
				if test.refused == "" {
					require.NoError(t, err, file)
					require.JSONEq(t, test.want, got, file)
					continue
				}
				line := test.line
				if file != "mine" && !strings.HasPrefix(test.text, "\ufeff") {
					line += strings.Count(belowBoat(""), "\n")
				}
				require.ErrorContains(t, err, test.refused, file)
				require.ErrorContains(t, err, fmt.Sprintf("%s:%d: ", file, line))
			}
		})
	}
}

// FuzzValues: a file of the fleet that the loader accepts ends in an answer or an error, never
// in a panic of a library. What the fleet passes on is accepted by the loader too, and means
// for the boat what the file says.
func FuzzValues(f *testing.F) {
	c := boatYard(f)
	bundles := map[string]*bundle.Bundle{}
	for _, p := range c.Packages {
		b, err := repository.BuildVersion(f.Context(), c, p.Versions[0], repository.Options{})
		require.NoError(f, err)
		bundles[p.Name] = b
	}
	for _, test := range texts {
		f.Add(belowBoat(test.text))
	}
	f.Add("packages: {boat: {values: {cargo: &a [*a]}}}")
	f.Add("packages: {boat: {values: {cargo: {\"\": [[], {}, \"\\0\", \"\\u2028\", \"a: b\\n \"]}}}}")
	f.Fuzz(func(t *testing.T, text string) {
		file := inputs.File{Name: "f.yml", Data: []byte(text)}
		if _, err := file.Values(); err != nil {
			return
		}
		sound := func(err error) bool {
			if err != nil {
				require.NotContains(t, err.Error(), "goroutine")
			}
			return err == nil
		}
		given := inputs.Of("fleet", file)
		objects, err := bundle.Render(t.Context(), bundles["fleet"], given.Given(), bundle.RenderOptions{})
		if !sound(given.Explain(err)) {
			return
		}
		passed, _, err := environment.Inputs(objects)
		require.NoError(t, err)
		_, faults := strictyaml.Values(passed[0].Data)
		require.Empty(t, faults, string(passed[0].Data))
		first, err := bundle.Render(t.Context(), bundles["boat"], passed, bundle.RenderOptions{})
		require.NoError(t, err, string(passed[0].Data))
		merged, err := ytt.Merged(t.Context(), given.Given(), "packages", "boat", "values")
		require.NoError(t, err)
		second, err := bundle.Render(t.Context(), bundles["boat"], []bundle.ValuesFile{{Name: "merged.yml", Data: merged}}, bundle.RenderOptions{})
		require.NoError(t, err)
		require.True(t, json.Valid([]byte(boatOf(t, first))))
		require.JSONEq(t, boatOf(t, second), boatOf(t, first))
	})
}
