package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

// offer is one version of a package that the values of the installing version may select.
type offer struct {
	version *catalog.Version
	bundle  *Bundle
	// schema is the ytt library whose schema the values of the version must satisfy; empty
	// where all versions of the package have the same schema.
	schema string
	// installer is the ytt library with the account that installs the version; empty
	// where it needs none.
	installer string
}

// offersOf are the versions of a package that v may install, newest first: the one that
// it names and the published ones that are older. What is published later is in no
// bundle that exists.
func offersOf(v, named *catalog.Version, repo catalog.Repository, installed []*Bundle) ([]offer, error) {
	var offers []offer
	for _, other := range append(repo.Older(named), named) {
		b := find(installed, other)
		if b == nil {
			return nil, fmt.Errorf("%s installs %s, whose bundle was not given", v.ID(), other.ID())
		}
		offers = append(offers, offer{version: other, bundle: b})
	}
	slices.Reverse(offers)
	return offers, nil
}

// ownLibrary is the name of a version's own ytt library.
func (o offer) ownLibrary() string { return o.version.Package.Name + "-" + o.version.Version }

// addSchemas adds the library of a package, named as the package, whose schema has the
// values of all its versions. All versions of a package are made of one schema.yml, which
// can tell them apart only by what it loads of /package.star. If that is the same in all,
// so are the schemas. If not, the library's schema leaves out the validations that may
// depend on it, and each version has a library of its own with the whole schema, by which
// the installing package can validate the values of the version that is selected. ytt
// reads a schema before any value, so it cannot select one itself.
func addSchemas(files map[string][]byte, offers []offer, repo catalog.Repository) error {
	first := offers[0]
	name := first.version.Package.Name
	if err := addLibrary(files, first.bundle, repo, name); err != nil {
		return err
	}
	facts := factsOfSchema(files, path.Join(librariesDir, name), first.bundle)
	same := func(o offer) bool {
		return maps.Equal(facts, factsOfSchema(files, path.Join(librariesDir, name), o.bundle))
	}
	if !slices.ContainsFunc(offers, func(o offer) bool { return !same(o) }) {
		return nil
	}
	declared, err := shapeOf(first.bundle)
	if err != nil {
		return err
	}
	for i, o := range offers {
		shape, err := shapeOf(o.bundle)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(declared, shape) {
			return fmt.Errorf("%s: %s declares other values, types or defaults than %s, and values of either may be given to it; declare the same in all versions, and refuse in a validation what one of them does not support",
				path.Join("packages", name, schemaFile), o.version.ID(), first.version.ID())
		}
		offers[i].schema = o.ownLibrary()
		if err := addLibrary(files, o.bundle, repo, offers[i].schema); err != nil {
			return err
		}
		files[path.Join(librariesDir, offers[i].schema, path.Base(schemaFile))] = []byte(versionSchema)
	}
	loosen(files, path.Join(librariesDir, name))
	return nil
}

// versionSchema makes a schema of the function of [valuesLib]. Its key "values" is in the
// path of each value, as it is among the values of the installing package.
const versionSchema = `#@ load("@ytt:template", "template")
#@ load("values.lib.yml", "values")
#@data/values-schema
---
_: #@ template.replace(values())
`

// factsLoad finds what a file loads of /package.star, and a fact the variables there.
var (
	factsLoad = regexp.MustCompile(`load\("/package\.star",([^)]*)\)`)
	quoted    = regexp.MustCompile(`"([^"]+)"`)
	fact      = regexp.MustCompile(`(?m)^(\w+) = `)
)

// factsOfSchema are the variables of a bundle's /package.star that the files of the
// library load, by name.
func factsOfSchema(files map[string][]byte, dir string, b *Bundle) map[string]string {
	text := string(b.Files[factsFile])
	all := map[string]string{}
	at := fact.FindAllStringSubmatchIndex(text, -1)
	for i, match := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		all[text[match[2]:match[3]]] = text[match[1]:end]
	}
	loaded := map[string]string{}
	for name, data := range files {
		if !strings.HasPrefix(name, dir+"/") {
			continue
		}
		for _, load := range factsLoad.FindAllSubmatch(data, -1) {
			for _, fact := range quoted.FindAllSubmatch(load[1], -1) {
				loaded[string(fact[1])] = all[string(fact[1])]
			}
		}
	}
	return loaded
}

// shapeOf is the schema of a bundle's values without its texts and validations: keys,
// types and defaults.
func shapeOf(b *Bundle) (any, error) {
	var pkg struct {
		Spec struct {
			ValuesSchema struct {
				OpenAPIv3 json.RawMessage `json:"openAPIv3"`
			} `json:"valuesSchema"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(b.PackageCR, &pkg); err != nil {
		return nil, fmt.Errorf("reading the values schema of the Package: %w", err)
	}
	schema, err := decodeSchema(pkg.Spec.ValuesSchema.OpenAPIv3)
	if err != nil {
		return nil, err
	}
	return shape(schema), nil
}

func shape(node map[string]any) map[string]any {
	kept := map[string]any{}
	for _, key := range []string{"type", "format", "nullable", "default", "additionalProperties"} {
		kept[key] = node[key]
	}
	if items, ok := node["items"].(map[string]any); ok {
		kept["items"] = shape(items)
	}
	if properties, ok := node["properties"].(map[string]any); ok {
		below := map[string]any{}
		for name, property := range properties {
			if property, ok := property.(map[string]any); ok {
				below[name] = shape(property)
			}
		}
		kept["properties"] = below
	}
	return kept
}

// defined finds the functions of a ytt file; annotation is the line of a validation.
var (
	anyNames   = regexp.MustCompile(`load\("([^@"][^"]*)",([^)]*)\)`)
	defined    = regexp.MustCompile(`(?m)^(?:#@ *)?def (\w+)`)
	annotation = regexp.MustCompile(`^\s*#@schema/validation `)
)

// loosen removes, from the files of a library, the validations that mention anything out
// of a file that loads /package.star, itself or through others.
func loosen(files map[string][]byte, dir string) {
	dependent := map[string]bool{path.Join(dir, path.Base(factsFile)): true}
	for grown := true; grown; {
		grown = false
		for name, data := range files {
			if strings.HasPrefix(name, dir+"/") && !dependent[name] && len(namesFrom(dependent, dir, name, data)) > 0 {
				dependent[name], grown = true, true
			}
		}
	}
	for name := range dependent {
		mentioned := namesFrom(dependent, dir, name, files[name])
		if len(mentioned) == 0 {
			continue // package.star itself
		}
		for _, function := range defined.FindAllSubmatch(files[name], -1) {
			mentioned = append(mentioned, regexp.QuoteMeta(string(function[1])))
		}
		mention := regexp.MustCompile(`\b(` + strings.Join(mentioned, "|") + `)\b`)
		var kept bytes.Buffer
		for line := range bytes.Lines(files[name]) {
			if !annotation.Match(line) || !mention.Match(line) {
				kept.Write(line)
			}
		}
		files[name] = kept.Bytes()
	}
}

// namesFrom are the names, as regular expressions, by which a file knows what it loads
// from the given ones.
func namesFrom(from map[string]bool, dir, name string, data []byte) []string {
	var names []string
	for _, load := range anyNames.FindAllSubmatch(data, -1) {
		loaded, absolute := strings.CutPrefix(string(load[1]), "/")
		if absolute {
			loaded = path.Join(dir, loaded)
		} else {
			loaded = path.Join(path.Dir(name), loaded)
		}
		if !from[loaded] {
			continue
		}
		for _, term := range strings.Split(string(load[2]), ",") {
			alias, _, renamed := strings.Cut(strings.TrimSpace(term), "=")
			if !renamed {
				alias = strings.Trim(alias, `"`)
			}
			names = append(names, regexp.QuoteMeta(strings.TrimSpace(alias)))
		}
	}
	return names
}

// addInstallers adds to the libraries the functions that give the accounts by which the
// versions are installed and moved to. Versions with the same account share it.
func addInstallers(files map[string][]byte, offers []offer, repo catalog.Repository, installed []*Bundle) error {
	var first []byte
	for i, o := range offers {
		profiles, err := profilesWith(o.bundle, repo.Predecessors(o.version), installed)
		if err != nil {
			return err
		}
		if len(profiles) == 0 {
			continue
		}
		lib, err := rbac.Library(o.version.Package.Name, profiles)
		if err != nil {
			return err
		}
		offers[i].installer = o.ownLibrary()
		if first == nil || bytes.Equal(first, lib) {
			first, offers[i].installer = lib, o.version.Package.Name
		}
		files[path.Join(librariesDir, offers[i].installer, path.Base(installerLib))] = lib
	}
	return nil
}
