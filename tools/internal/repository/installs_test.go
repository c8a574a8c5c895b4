package repository_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
	"github.com/strake-dev/strake/tools/internal/strictyaml"
)

// installer is the checkout's own package that installs the others.
func installer(t *testing.T, c *catalog.Catalog) *catalog.Version {
	t.Helper()
	for _, p := range c.Packages {
		if v := p.Versions[len(p.Versions)-1]; len(v.Installed()) > 0 {
			return v
		}
	}
	require.Fail(t, "no package installs others")
	return nil
}

func renderValues(t *testing.T, c *catalog.Catalog, v *catalog.Version, values any) ([]manifest.Object, error) {
	t.Helper()
	b, err := repository.BuildVersion(t.Context(), c, v, repository.Options{})
	require.NoError(t, err)
	text, err := yaml.Marshal(values)
	require.NoError(t, err)
	return bundle.Render(t.Context(), b, []bundle.ValuesFile{{Name: "values.yml", Data: text}}, bundle.RenderOptions{})
}

// TestInstalledSchemas: the installer's schema has that of each package, word
// for word; its Package says where that is to be read, and stays small.
func TestInstalledSchemas(t *testing.T) {
	c := checkout(t)
	v := installer(t, c)
	b, err := repository.BuildVersion(t.Context(), c, v, repository.Options{})
	require.NoError(t, err)
	whole, offered := schemaOf(t, b), offeredSchema(t, b)
	for _, other := range v.Installed() {
		name := c.Repository.FullName(other.Package.Name)
		b, err := repository.BuildVersion(t.Context(), c, other, repository.Options{})
		require.NoError(t, err)
		contained := below(t, whole, "packages", other.Package.Name, "values")
		require.Equal(t, "Values of "+name+" "+other.Version+".", contained["description"])
		require.Equal(t, schemaOf(t, b)["properties"], contained["properties"], other.ID())
		require.Equal(t, false, contained["additionalProperties"])
		reference := below(t, offered, "packages", other.Package.Name, "values")
		require.Contains(t, reference["description"], "-p "+name+"/"+other.Version+" --values-schema")
		require.NotContains(t, reference, "properties")
	}
	require.Less(t, len(b.PackageCR), 100_000, "kapp-controller reads all Packages several times an install")
}

func schemaOf(t *testing.T, b *bundle.Bundle) map[string]any {
	t.Helper()
	schema, err := b.ValuesSchema(t.Context())
	require.NoError(t, err)
	return schema
}

// offeredSchema is the one that the Package has.
func offeredSchema(t *testing.T, b *bundle.Bundle) map[string]any {
	t.Helper()
	var resource map[string]any
	require.NoError(t, yaml.Unmarshal(b.PackageCR, &resource))
	schema, found, err := unstructured.NestedMap(resource, "spec", "valuesSchema", "openAPIv3")
	require.NoError(t, err)
	require.True(t, found)
	return schema
}

func below(t *testing.T, schema map[string]any, keys ...string) map[string]any {
	t.Helper()
	for _, key := range keys {
		properties, _ := schema["properties"].(map[string]any)
		require.Contains(t, properties, key)
		schema, _ = properties[key].(map[string]any)
	}
	return schema
}

// TestInstalledValues: a package that is installed by the installer gets objects
// as if its values had been given to itself, though only those that differ from
// its defaults are passed on, and its namespace is the installer's to make. The cases
// of each package are the values.
func TestInstalledValues(t *testing.T) {
	c := checkout(t)
	v := installer(t, c)
	for round := 0; ; round++ {
		given, wanted := map[string]any{}, map[string][]manifest.Object{}
		for _, other := range v.Installed() {
			values := caseValues(t, other, round)
			if values == nil {
				continue
			}
			given[other.Package.Name] = map[string]any{"enabled": true, "values": values}
			own := maps.Clone(values)
			own["createNamespace"] = false
			objects, err := renderValues(t, c, other, own)
			require.NoError(t, err)
			wanted[other.Package.Name] = objects
		}
		if len(given) == 0 {
			return
		}
		objects, err := renderValues(t, c, v, map[string]any{"packages": given})
		require.NoError(t, err)
		for _, other := range v.Installed() {
			if want := wanted[other.Package.Name]; want != nil {
				got, err := renderValues(t, c, other, passedOn(t, objects, other.Package.Name))
				require.NoError(t, err)
				require.Equal(t, want, got, "%s, case %d", other.ID(), round)
			}
		}
	}
}

// TestInstalledValuesStayStrings: the installer writes values once more as YAML. Strings that
// some version of YAML reads as something else are strings there, too.
func TestInstalledValuesStayStrings(t *testing.T) {
	c := checkout(t)
	v := installer(t, c)
	labels := map[string]any{}
	for i, text := range []string{
		"2024-01-01", "2024-01-01T00:00:00Z", "on", "no", "y", "true", "null", "~", "0777", "0o17", "0x1F", "1_000", "1e3", "1:30", ".inf", "1.10", "", "7",
	} {
		labels[fmt.Sprintf("label-%d", i)] = text
	}
	given := map[string]any{}
	for _, other := range v.Installed() {
		given[other.Package.Name] = map[string]any{"enabled": true, "values": map[string]any{"labels": labels}}
	}
	objects, err := renderValues(t, c, v, map[string]any{"packages": given})
	require.NoError(t, err)
	for _, other := range v.Installed() {
		read, faults := strictyaml.Values([]byte(passedOnText(t, objects, other.Package.Name)))
		require.Empty(t, faults, other.ID())
		require.Equal(t, labels, read["labels"], other.ID())
		require.Equal(t, labels, passedOn(t, objects, other.Package.Name)["labels"], "as a library of YAML 1.1 reads them")
	}
}

// rounds is how many cases of each package are looked at, the longest first: all
// of them take minutes.
const rounds = 1

// caseValues are those of one of the package's render cases, or nil.
func caseValues(t *testing.T, v *catalog.Version, round int) map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(v.Package.Dir, "test", "*", "values.yml"))
	require.NoError(t, err)
	var cases []string
	for _, file := range files {
		dir := filepath.Dir(file)
		_, fails := os.Stat(filepath.Join(dir, "error.txt"))
		_, versioned := os.Stat(filepath.Join(dir, "version"))
		if fails != nil && versioned != nil {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			cases = append(cases, string(text))
		}
	}
	slices.SortFunc(cases, func(a, b string) int { return len(b) - len(a) })
	if round >= min(rounds, len(cases)) {
		return nil
	}
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(cases[round]), &values))
	return values
}

// passedOn are the values in the secret that a PackageInstall names.
func passedOn(t *testing.T, objects []manifest.Object, name string) map[string]any {
	t.Helper()
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(passedOnText(t, objects, name)), &values))
	return values
}

func passedOnText(t *testing.T, objects []manifest.Object, name string) string {
	t.Helper()
	for _, o := range objects {
		if o.GetKind() == "Secret" && strings.HasPrefix(o.GetName(), name+"-values-") {
			text, _, err := unstructured.NestedString(o.Object, "stringData", "values.yml")
			require.NoError(t, err)
			return text
		}
	}
	require.Fail(t, "no values of "+name)
	return ""
}

// port has the checkout's installer in a tree of two packages of which boat
// cannot do without tender, and may use a dock that the installer does not have.
func port(t *testing.T) (*catalog.Catalog, *catalog.Version) {
	t.Helper()
	own := installer(t, checkout(t))
	files := map[string]string{}
	maps.Copy(files, textFiles(t, own.Package.Config(), "packages/port/config"))
	maps.Copy(files, textFiles(t, own.Package.Common(), "packages/_common"))
	needs := `requires:
  - {package: tender, constraint: ">=1.0.0", reason: to come ashore}
  - {package: dock, constraint: ">=1.0.0", optional: true, reason: to be repaired}
`
	base := tree()
	files["packages/boat/1.1.0/version.yml"] = base["packages/boat/1.1.0/version.yml"] + needs
	files["packages/port/package.yml"] = strings.Split(strings.ReplaceAll(packageText, "NAME", "port"), "manifests:")[0]
	files["packages/port/1.0.0/version.yml"] = strings.ReplaceAll(versionText, "VERSION", "1.0.0") + "installs: {boat: 1.1.0, tender: 1.1.0}\n"
	for name, text := range base {
		if rest, found := strings.CutPrefix(name, "packages/tender/"); found {
			files["packages/dock/"+rest] = strings.ReplaceAll(text, "tender", "dock")
		}
	}
	files["repo/repository.yml"] = base["repo/repository.yml"] + "  tender: [1.1.0]\n"
	c := newTree(t, files)
	p, err := c.Package("port")
	require.NoError(t, err)
	return c, p.Versions[0]
}

// textFiles are those below a folder, with another path in the place of its own.
func textFiles(t *testing.T, dir, as string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		files[as+filepath.ToSlash(strings.TrimPrefix(file, dir))] = string(text)
		return err
	}))
	return files
}

func enabled(names ...string) map[string]any {
	packages := map[string]any{}
	for _, name := range names {
		packages[name] = map[string]any{"enabled": true}
	}
	return map[string]any{"packages": packages}
}

func TestInstallerRefusesWithoutNeeds(t *testing.T) {
	c, v := port(t)
	_, err := renderValues(t, c, v, enabled("boat"))
	require.ErrorContains(t, err, "boat requires tender >=1.0.0 (to come ashore): set packages.tender.enabled to true, or packages.boat.enabled to false")
	_, err = renderValues(t, c, v, enabled("tender"))
	require.NoError(t, err)
}

func TestInstallerKeepsTheOrderOfNeeds(t *testing.T) {
	c, v := port(t)
	objects, err := renderValues(t, c, v, enabled("boat", "tender"))
	require.NoError(t, err)
	order := map[string]map[string]string{}
	for _, o := range objects {
		if o.GetKind() == "PackageInstall" {
			order[o.GetName()] = o.GetAnnotations()
		}
	}
	require.Equal(t, []string{"boat", "tender"}, slices.Sorted(maps.Keys(order)))
	group := order["tender"]["kapp.k14s.io/change-group"]
	require.NotEmpty(t, group)
	require.Equal(t, "upsert after upserting "+group, order["boat"]["kapp.k14s.io/change-rule.after-tender"])
	require.Equal(t, "delete before deleting "+group, order["boat"]["kapp.k14s.io/change-rule.before-tender"])
	text, err := json.Marshal(order["tender"])
	require.NoError(t, err)
	require.NotContains(t, string(text), "boat")
}

// TestInstalledVersionsKeepTheBundle: what an installer contains is chosen by its
// version, not by what is published later; but a change of it is seen.
func TestInstalledVersionsKeepTheBundle(t *testing.T) {
	c, v := port(t)
	digest := func() string {
		c, v = reloaded(t, c, v)
		b, err := repository.BuildVersion(t.Context(), c, v, repository.Options{})
		require.NoError(t, err)
		return b.Digest
	}
	first := digest()
	for name, text := range tree() {
		if rest, found := strings.CutPrefix(name, "packages/boat/1.1.0/"); found {
			put(t, c.Root, "packages/boat/1.2.0/"+rest, strings.ReplaceAll(text, "1.1.0", "1.2.0"))
		}
	}
	require.Equal(t, first, digest())
	put(t, c.Root, "packages/boat/config/schema.yml", "#@data/values-schema\n---\n#@schema/desc \"Number of copies\"\nreplicas: 1\n")
	require.NotEqual(t, first, digest())
}

func reloaded(t *testing.T, c *catalog.Catalog, v *catalog.Version) (*catalog.Catalog, *catalog.Version) {
	t.Helper()
	c = reload(t, c.Root)
	p, err := c.Package(v.Package.Name)
	require.NoError(t, err)
	return c, p.Versions[0]
}
