package bundle

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

const (
	// valuesLib is, in the library of an installed package, the file with the
	// function that stands for its schema.
	valuesLib = "values.lib.yml"
	// installerLib is where a bundle has the account by which it is installed.
	installerLib = "rbac/installer.lib.yml"
	// madeFrom begins the Starlark files that tell of installed packages.
	madeFrom = "# Made from installs of version.yml.\n"
)

var (
	anyLoad     = regexp.MustCompile(`load\("([^@"][^"]*)"`)
	libraryLoad = regexp.MustCompile(`load\("@([^@:"]+):`)
	// schemaHead parts schema.yml: what is loaded and defined, the annotations of
	// the document, and the values.
	schemaHead = regexp.MustCompile(`(?ms)\A(.*?)^#@ ?data/values-schema\n((?:#[^\n]*\n)*)---\n(.*)\z`)
)

// addInstalls puts into the bundle what its ytt files may know of the packages
// that it installs. Each is a ytt library of its name, with the functions of the
// files below and what they load; nothing of it is rendered. The list installs of
// /installs.star tells of all of them:
//
//	name, package, version    keda, keda.strake.internal, 2.21.0
//	title, description        what people read of it
//	needs                     list of name, constraint, optional, reason, and when: a function of
//	                          the values that tells whether an optional one is needed, or None
//	defaults                  its default values
//	namespace                 what the package's Namespace is like by default (labels, and
//	                          annotations as a function of the values), or None
//
// In its values, a version that installs packages has packages.NAME.enabled and
// packages.NAME.values for each; its permissions follow these.
//
// The functions that are large stand apart, in maps by the name of the package, since
// ytt evaluates a file anew for each that loads it: schemas of /schemas.star give the
// key "values" with the package's schema, accounts of /accounts.star its service
// account with its rights. These are those of the version and of the published ones
// that it moves from: what the older one had is to be found and deleted.
func addInstalls(ctx context.Context, files map[string][]byte, v *catalog.Version, repo catalog.Repository, installed []*Bundle) error {
	var loads, entries bytes.Buffer
	for i, other := range v.Installed() {
		b := find(installed, other)
		if b == nil {
			return fmt.Errorf("%s installs %s, whose bundle was not given", v.ID(), other.ID())
		}
		if err := addLibrary(files, b, repo); err != nil {
			return fmt.Errorf("taking the schema of %s into %s: %w", other.ID(), v.ID(), err)
		}
		if err := addInstaller(files, b, repo.Predecessors(other), installed); err != nil {
			return fmt.Errorf("adding the permissions to install %s to %s: %w", other.ID(), v.ID(), err)
		}
		defaults, err := defaultsOf(ctx, b)
		if err != nil {
			return fmt.Errorf("taking the default values of %s into %s: %w", other.ID(), v.ID(), err)
		}
		annotations := takeFunction(&loads, files, b.Package, namespaceLib, "annotations", i)
		writeInstall(&entries, other, repo, defaults, b.Namespace.starlark(annotations))
	}
	files[installsFile] = fmt.Appendf(nil, "%sload(\"@ytt:json\", \"json\")\n%sinstalls = [\n%s]\n", madeFrom, loads.Bytes(), entries.Bytes())
	files[schemasFile] = functions("schemas", files, v.Installed(), valuesLib, "values")
	files[accountsFile] = functions("accounts", files, v.Installed(), path.Base(installerLib), "installer")
	return nil
}

// takeFunction loads a function of a package's library under a name with the
// package's number, and gives the name; None where there is no such file.
func takeFunction(loads *bytes.Buffer, files map[string][]byte, pkg, file, function string, number int) string {
	if files[path.Join(librariesDir, pkg, file)] == nil {
		return "None"
	}
	fmt.Fprintf(loads, "load(\"@%s:%s\", %s%d=%q)\n", pkg, file, function, number, function)
	return fmt.Sprintf("%s%d", function, number)
}

// functions makes the Starlark file of a map of functions by package.
func functions(name string, files map[string][]byte, versions []*catalog.Version, file, function string) []byte {
	var loads, entries bytes.Buffer
	for i, v := range versions {
		fmt.Fprintf(&entries, "  %q: %s,\n", v.Package.Name, takeFunction(&loads, files, v.Package.Name, file, function, i))
	}
	return fmt.Appendf(nil, "%s%s%s = {\n%s}\n", madeFrom, loads.Bytes(), name, entries.Bytes())
}

func find(bundles []*Bundle, v *catalog.Version) *Bundle {
	i := slices.IndexFunc(bundles, func(b *Bundle) bool { return b.Package == v.Package.Name && b.Version == v.Version })
	if i < 0 {
		return nil
	}
	return bundles[i]
}

func writeInstall(out *bytes.Buffer, v *catalog.Version, repo catalog.Repository, defaults, namespace string) {
	fmt.Fprintf(out, "  {\n    \"name\": %q,\n    \"package\": %q,\n    \"version\": %q,\n", v.Package.Name, repo.FullName(v.Package.Name), v.Version)
	fmt.Fprintf(out, "    \"title\": %q,\n    \"description\": %q,\n    \"needs\": [\n", v.Package.Metadata.DisplayName, strings.TrimSpace(v.Package.Metadata.ShortDescription))
	for _, r := range v.Requires {
		optional := "False"
		if r.Optional {
			optional = "True"
		}
		when := "None"
		if r.When != "" {
			when = "lambda values: " + r.When
		}
		fmt.Fprintf(out, "      {\"name\": %q, \"constraint\": %q, \"optional\": %s, \"reason\": %q, \"when\": %s},\n",
			r.Package, r.Constraint, optional, strings.TrimSpace(r.Reason), when)
	}
	fmt.Fprintf(out, "    ],\n    \"defaults\": %s,\n    \"namespace\": %s,\n  },\n", defaults, namespace)
}

// defaultsOf is a package's default values as Starlark.
func defaultsOf(ctx context.Context, b *Bundle) (string, error) {
	values, err := b.Values(ctx)
	if err != nil {
		return "", err
	}
	text, err := yaml.YAMLToJSON(values.Defaults)
	if err != nil {
		return "", fmt.Errorf("encoding the default values: %w", err)
	}
	return fmt.Sprintf("json.decode(%q)", text), nil
}

// addLibrary makes the ytt library of an installed package.
func addLibrary(files map[string][]byte, b *Bundle, repo catalog.Repository) error {
	dir := path.Join(librariesDir, b.Package)
	function, err := schemaFunction(b.Files[schemaFile], fmt.Sprintf("Values of %s %s.", repo.FullName(b.Package), b.Version))
	if err != nil {
		return err
	}
	files[path.Join(dir, valuesLib)] = function
	if data := b.Files[path.Join(configDir, namespaceLib)]; data != nil {
		files[path.Join(dir, namespaceLib)] = data
	}
	return addLoaded(files, dir, b.Files)
}

// addLoaded adds to a folder what its files load of the config folder of a bundle's files.
func addLoaded(files map[string][]byte, dir string, from map[string][]byte) error {
	queue := []string{valuesLib, namespaceLib}
	for ; len(queue) > 0; queue = queue[1:] {
		addLibraries(files, dir, from, files[path.Join(dir, queue[0])])
		for _, match := range anyLoad.FindAllSubmatch(files[path.Join(dir, queue[0])], -1) {
			name, absolute := strings.CutPrefix(string(match[1]), "/")
			if !absolute {
				name = path.Join(path.Dir(queue[0]), name)
			}
			if files[path.Join(dir, name)] != nil {
				continue
			}
			data := from[path.Join(configDir, name)]
			if data == nil {
				return fmt.Errorf("%s loads %s, which is not in the bundle", queue[0], match[1])
			}
			files[path.Join(dir, name)] = data
			queue = append(queue, name)
		}
	}
	return nil
}

// schemaFunction makes of schema.yml a ytt file with the function values(). It
// gives the key "values", annotated as the schema's document was, so that
// another schema can hold it: no value loses its type, its text or its checks.
func schemaFunction(schema []byte, description string) ([]byte, error) {
	parts := schemaHead.FindSubmatch(schema)
	if parts == nil || bytes.Contains(parts[3], []byte("\n---")) {
		return nil, fmt.Errorf("%s: expected one document, after the line \"#@data/values-schema\" and annotations", schemaFile)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s#@ def values():\n#@schema/desc %q\n%svalues:\n", parts[1], description, parts[2])
	for line := range bytes.Lines(parts[3]) {
		if len(bytes.TrimSpace(line)) > 0 {
			out.WriteString("  ")
		}
		out.Write(line)
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), "\n#@ end\n"...), nil
}
