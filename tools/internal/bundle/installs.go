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
	libraryLoad = regexp.MustCompile(`(?:load\("@([^@:"]+):|library\.get\("([^"]+)"\))`)
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
//	versions                  what the values may select: this version and the published older
//	                          ones, newest first, each with version, needs, defaults and
//	                          namespace of its own, and schema: the ytt library whose schema its
//	                          values must satisfy, or None where the schema of /schemas.star says it all
//
// In its values, a version that installs packages has packages.NAME.enabled and
// packages.NAME.values for each; its permissions follow these.
//
// The functions that are large stand apart, in maps by the name of the package, since
// ytt evaluates a file anew for each that loads it: schemas of /schemas.star give the
// key "values" with the package's schema; accounts of /accounts.star give, by version,
// its service account with the rights to install that version and to move to it from the
// published ones before it, because an upgrade deletes objects of the earlier version.
func addInstalls(ctx context.Context, files map[string][]byte, v *catalog.Version, repo catalog.Repository, installed []*Bundle) error {
	var list, accounts installsWriter
	for _, other := range v.Installed() {
		offers, err := offersOf(v, other, repo, installed)
		if err != nil {
			return err
		}
		if err := addSchemas(files, offers, repo); err != nil {
			return fmt.Errorf("taking the schema of %s into %s: %w", other.ID(), v.ID(), err)
		}
		if err := addInstallers(files, offers, repo, installed); err != nil {
			return fmt.Errorf("adding the permissions to install %s to %s: %w", other.ID(), v.ID(), err)
		}
		if err := list.install(ctx, files, offers, repo); err != nil {
			return fmt.Errorf("taking the default values of %s into %s: %w", other.ID(), v.ID(), err)
		}
		accounts.accounts(offers)
	}
	files[installsFile] = fmt.Appendf(nil, "%sload(\"@ytt:json\", \"json\")\nload(\"@ytt:library\", \"library\")\n%s%sinstalls = [\n%s]\n", madeFrom, list.loads.Bytes(), list.shared.Bytes(), list.entries.Bytes())
	files[schemasFile] = functions("schemas", files, v.Installed(), valuesLib, "values")
	files[accountsFile] = fmt.Appendf(nil, "%s%saccounts = {\n%s}\n", madeFrom, accounts.loads.Bytes(), accounts.entries.Bytes())
	return nil
}

// functions makes the Starlark file of a map of functions by package.
func functions(name string, files map[string][]byte, versions []*catalog.Version, file, function string) []byte {
	var w installsWriter
	for _, v := range versions {
		fmt.Fprintf(&w.entries, "  %q: %s,\n", v.Package.Name, w.function(files, v.Package.Name, file, function))
	}
	return fmt.Appendf(nil, "%s%s%s = {\n%s}\n", madeFrom, w.loads.Bytes(), name, w.entries.Bytes())
}

// installsWriter writes a Starlark file that tells of installed packages.
type installsWriter struct {
	// loads are statements, shared are variables for what several entries have, and
	// entries are those of the list or the map.
	loads, shared, entries bytes.Buffer
	// names are those of what has been loaded or shared, by its text.
	names map[string]string
}

// name gives what the text stands for a name that begins so; fresh tells whether it is new.
func (w *installsWriter) name(prefix, text string) (name string, fresh bool) {
	if name, found := w.names[text]; found {
		return name, false
	}
	if w.names == nil {
		w.names = map[string]string{}
	}
	w.names[text] = fmt.Sprintf("%s%d", prefix, len(w.names))
	return w.names[text], true
}

// function loads a function of a library and gives its name here; None where the
// library has no such file.
func (w *installsWriter) function(files map[string][]byte, library, file, function string) string {
	if files[path.Join(librariesDir, library, file)] == nil {
		return "None"
	}
	return w.load(library, file, function)
}

func (w *installsWriter) load(library, file, function string) string {
	name, fresh := w.name(function, library+":"+file)
	if fresh {
		fmt.Fprintf(&w.loads, "load(\"@%s:%s\", %s=%q)\n", library, file, name, function)
	}
	return name
}

// install writes the entry of a package. The first of the offers is the version that it
// is installed in unless the values select another.
func (w *installsWriter) install(ctx context.Context, files map[string][]byte, offers []offer, repo catalog.Repository) error {
	v := offers[0].version
	fmt.Fprintf(&w.entries, "  {\n    \"name\": %q,\n    \"package\": %q,\n", v.Package.Name, repo.FullName(v.Package.Name))
	fmt.Fprintf(&w.entries, "    \"title\": %q,\n    \"description\": %q,\n", v.Package.Metadata.DisplayName, strings.TrimSpace(v.Package.Metadata.ShortDescription))
	var versions []string
	for _, o := range offers {
		text, err := w.version(ctx, files, o)
		if err != nil {
			return err
		}
		versions = append(versions, text)
	}
	fmt.Fprintf(&w.entries, "    %s,\n    \"versions\": [\n", versions[0])
	for i, o := range offers {
		schema := "None"
		if o.schema != "" {
			schema = fmt.Sprintf("library.get(%q)", o.schema)
		}
		fmt.Fprintf(&w.entries, "      {%s, \"schema\": %s},\n", versions[i], schema)
	}
	fmt.Fprintf(&w.entries, "    ],\n  },\n")
	return nil
}

// version writes the fields of one version.
func (w *installsWriter) version(ctx context.Context, files map[string][]byte, o offer) (string, error) {
	defaults, err := defaultsOf(ctx, o.bundle)
	if err != nil {
		return "", err
	}
	library := o.version.Package.Name
	if o.schema != "" {
		library = o.schema
	}
	namespace := o.bundle.Namespace.starlark(w.function(files, library, namespaceLib, "annotations"))
	return fmt.Sprintf("\"version\": %q, \"needs\": %s, \"defaults\": %s, \"namespace\": %s",
		o.version.Version, w.share("needs", needsOf(o.version)), w.share("defaults", defaults), w.share("namespace", namespace)), nil
}

// share gives an expression a name, so that versions that have the same share it.
func (w *installsWriter) share(prefix, expression string) string {
	name, fresh := w.name(prefix, prefix+" "+expression)
	if fresh {
		fmt.Fprintf(&w.shared, "%s = %s\n", name, expression)
	}
	return name
}

// accounts writes the entry of a package.
func (w *installsWriter) accounts(offers []offer) {
	fmt.Fprintf(&w.entries, "  %q: {\n", offers[0].version.Package.Name)
	for _, o := range offers {
		function := "None"
		if o.installer != "" {
			function = w.load(o.installer, path.Base(installerLib), "installer")
		}
		fmt.Fprintf(&w.entries, "    %q: %s,\n", o.version.Version, function)
	}
	w.entries.WriteString("  },\n")
}

func find(bundles []*Bundle, v *catalog.Version) *Bundle {
	i := slices.IndexFunc(bundles, func(b *Bundle) bool { return b.Package == v.Package.Name && b.Version == v.Version })
	if i < 0 {
		return nil
	}
	return bundles[i]
}

// needsOf returns the dependencies of a version as a Starlark list.
func needsOf(v *catalog.Version) string {
	var list strings.Builder
	for _, r := range v.Requires {
		optional, when := "False", "None"
		if r.Optional {
			optional = "True"
		}
		if r.When != "" {
			when = "lambda values: " + r.When
		}
		fmt.Fprintf(&list, "  {\"name\": %q, \"constraint\": %q, \"optional\": %s, \"reason\": %q, \"when\": %s},\n",
			r.Package, r.Constraint, optional, strings.TrimSpace(r.Reason), when)
	}
	return "[\n" + list.String() + "]"
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

// addLibrary makes the ytt library of an installed package, in a folder below
// [librariesDir].
func addLibrary(files map[string][]byte, b *Bundle, repo catalog.Repository, library string) error {
	dir := path.Join(librariesDir, library)
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
