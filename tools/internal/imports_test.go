// Package internal_test holds the rules of who may import whom, as tables with
// a reason beside each rule. It reads the import clauses of all files, whatever
// their build tags, and compiles nothing. Start reading at [stages].
package internal_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/strake-dev/strake/"
	inner  = module + "tools/internal/"
)

// everywhere may be imported by every stage: they know nothing of any.
var everywhere = []string{"cache", "gotool", "names", "progress", "retry", "strictyaml", "untrusted"}

// stages says which other parts of the project each folder of tools/ may
// import. Tests are free to use more, except the command line.
var stages = map[string]struct {
	may []string
	why string
}{
	"cache":       {[]string{"progress"}, "it keeps folders, tells which it makes again, and must not know what is in them"},
	"gotool":      {nil, "it starts the go command, whatever is asked of it"},
	"names":       {nil, "it compares words and must not know what they name"},
	"progress":    {nil, "it shows what it is told and knows no stage"},
	"retry":       {[]string{"progress"}, "it says which attempt follows and waits, whatever is tried"},
	"strictyaml":  {nil, "it reads values and must not know whose they are"},
	"untrusted":   {nil, "it reads archives and YAML of anybody's and must not know whose they are"},
	"child":       {nil, "it starts processes and must not know what they do"},
	"gocache":     {[]string{"child"}, "it keeps what the go command compiles, whatever that is"},
	"apivalidate": {[]string{"child", "manifest"}, "it validates objects as the API server does, whose they are and wherever they came from"},
	"ytt":         {[]string{"child"}, "it runs templates and must not know what is rendered"},
	"inputs":      {[]string{"ytt"}, "it finds in files what ytt refuses, whoever rendered and wherever the files came from"},
	"catalog":     {nil, "all stages stand on it; it opens this project's files alone"},
	"oci":         {nil, "registries carry anything; whoever knows packages is above it"},
	"scaffold":    {[]string{"catalog"}, "it writes the files of a new package and must not know what is made of them"},
	"manifest":    {[]string{"catalog", "ytt"}, "rendering needs a folder and a list of manifests, not where they come from"},
	"upstream":    {[]string{"catalog", "child", "ytt", "oci"}, "fetching must not depend on what is rendered from the files; what stands in a registry comes through oci"},
	"image":       {[]string{"catalog", "gocache", "oci"}, "images are made from a module's commands, whatever the objects say"},
	"rbac":        {[]string{"manifest"}, "it is pure: objects in, rights out, whoever renders, ships or applies them"},
	"bundle":      {[]string{"catalog", "ytt", "manifest", "oci", "image", "rbac"}, "it is pure: objects and locks in, a bundle out; it may not fetch"},
	"repository":  {[]string{"catalog", "upstream", "manifest", "image", "bundle", "oci"}, "it is the one place that strings all stages together"},
	"childjobs":   {[]string{"child", "gocache", "upstream", "ytt"}, "it lists what child processes do, below whoever starts one"},
	"lint":        {[]string{"catalog", "ytt", "upstream", "manifest", "bundle", "repository"}, "it judges what the stages make and makes nothing itself"},
	"docs":        {[]string{"catalog", "bundle"}, "it writes down what a bundle takes and the catalog says; it makes nothing"},
	"environment": {[]string{"inputs", "ytt", "catalog", "apivalidate", "manifest", "bundle", "rbac", "repository"}, "it says what a cluster would get, from the checkout alone"},
	"gitops":      {[]string{"catalog", "manifest", "bundle", "rbac", "repository", "environment"}, "it writes an environment down for Flux, from the checkout alone"},
	"devcluster":  {[]string{"gocache", "manifest"}, "it makes a cluster and deploys objects; what they are and who built them is not its matter"},
	"platform":    {[]string{"inputs", "ytt", "catalog", "manifest", "gocache", "image", "bundle", "rbac", "repository", "oci", "environment", "devcluster"}, "it puts the stages in a row to bring a cluster up, below the commands and above all else"},
	"cli":         {[]string{"inputs", "childjobs", "apivalidate", "ytt", "catalog", "gocache", "upstream", "manifest", "image", "bundle", "rbac", "repository", "oci", "lint", "docs", "devcluster", "platform", "environment", "gitops", "scaffold"}, "it parses, calls and prints, so it knows every stage and none knows it"},

	"program:apivalidate": {nil, "it is compiled outside this module, with the modules of one version of Kubernetes"},

	"main:strake":    {[]string{"cli"}, "main wires signals, streams and the exit code; all else is a command"},
	"main:vale":      {nil, "it tests the rules of the documentation's linter"},
	"main:vulncheck": {nil, "it reads govulncheck's output and a list of exceptions, and knows nothing of packages"},
}

// libraries says which folders alone may import a library (by prefix), so that
// a change of library touches one place.
var libraries = []struct {
	prefix string
	only   []string
	why    string
}{
	{"github.com/google/go-containerregistry/pkg/v1/remote", []string{"oci"}, "access to registries, its retries and credentials have one home"},
	{"github.com/google/go-containerregistry/pkg/authn", []string{"oci"}, "credentials are read in one place and printed in none"},
	{"github.com/google/go-containerregistry/pkg/crane", []string{"oci"}, "it is remote access under another name"},
	{"github.com/google/go-containerregistry/pkg/v1", []string{"oci", "image", "bundle", "repository", "devcluster"}, "the types of images are for stages that make or carry them"},
	{"github.com/distribution/distribution", []string{"oci"}, "the embedded registry is a part of oci"},
	{"carvel.dev/imgpkg", []string{"oci"}, "bundles are images; oci makes and moves them"},
	{"carvel.dev/kbld", []string{"bundle"}, "references are resolved when a bundle is rendered"},
	{"carvel.dev/ytt", []string{"ytt"}, "one engine with one lock runs templates; all others see plain YAML"},
	{"carvel.dev/vendir/pkg/vendir/versions", []string{"environment", "upstream"}, "kapp-controller and vendir choose versions by vendir's code"},
	{"carvel.dev/vendir", []string{"upstream"}, "vendir is the engine that brings sources in"},
	{"carvel.dev/kapp/pkg/kapp/config", []string{"devcluster", "lint"}, "the linter runs rebase rules by kapp's own code"},
	{"carvel.dev/kapp/pkg/kapp/diff", []string{"devcluster", "lint"}, "the linter asks kapp's own code what an update would change"},
	{"carvel.dev/kapp/pkg/kapp/diffgraph", []string{"devcluster", "lint"}, "the linter orders objects by kapp's own code"},
	{"carvel.dev/kapp/pkg/kapp/logger", []string{"devcluster", "lint"}, "kapp's code that orders objects wants one"},
	{"carvel.dev/kapp/pkg/kapp/resources", []string{"devcluster", "lint"}, "the linter runs rebase rules by kapp's own code"},
	{"carvel.dev/kapp/pkg/kapp/yttresmod", []string{"devcluster", "lint"}, "the linter makes kapp's rules in ytt wait for their turn"},
	{"github.com/k14s/starlark-go", []string{"ytt"}, "it is ytt's language, of which others see nothing"},
	{"carvel.dev/kapp/pkg/kapp/resourcesmisc", []string{"devcluster", "lint"}, "the linter asks kapp's own code what it waits for"},
	{"carvel.dev/kapp", []string{"devcluster"}, "only a cluster is deployed to"},
	{"sigs.k8s.io/kind", []string{"devcluster"}, "only a development cluster is made"},
	{"k8s.io/client-go/kubernetes/scheme", []string{"devcluster", "environment", "lint"}, "it is Kubernetes' types, which know until when their API is served and how it is written, and no client"},
	{"github.com/homeport/dyff", []string{"environment"}, "objects are compared in one place"},
	{"github.com/gonvenience/ytbx", []string{"environment"}, "it is how dyff reads and names what it compares"},
	{"k8s.io/client-go/kubernetes/typed/core/v1", []string{"devcluster", "program:apivalidate"}, "a strategy of the API server asks for such a client, which asks no cluster there"},
	{"k8s.io/client-go", []string{"devcluster"}, "nothing else talks to a cluster"},
	{"k8s.io/kubernetes", []string{"program:apivalidate"}, "it is no library: one version of it alone fits into a program"},
	{"go.etcd.io/etcd", []string{"program:apivalidate"}, "it knows what etcd stores at most"},
	{"github.com/zricethezav/gitleaks", []string{"gitops"}, "secrets are looked for where values are written down"},
	{"github.com/google/ko", []string{"image"}, "ko builds images"},
	{"sigs.k8s.io/kustomize/api", []string{"manifest"}, "kustomizations are rendered by manifest"},
	{"helm.sh/helm/v3/pkg/engine", []string{"manifest"}, "charts are rendered by manifest"},
	{"helm.sh/helm", []string{"manifest", "upstream"}, "upstream fetches charts, manifest renders them"},
	{"github.com/spf13/cobra", []string{"cli"}, "stages are called by tests and other stages too, not by flags alone"},
	{"github.com/vbauerster/mpb", []string{"progress"}, "bars are drawn in one place"},
	{"github.com/texttheater/golang-levenshtein", []string{"names"}, "how near two words are is decided in one place"},
}

// catalogLibraries are all that catalog may import beside Go's own library, two of them
// ours: with fewer, loading stays a matter of milliseconds.
var catalogLibraries = []string{"go.yaml.in/yaml/v3", "github.com/carvel-dev/semver/v4", "golang.org/x/mod/", inner + "names", inner + "strictyaml"}

// source is one Go file and what it imports.
type source struct {
	file    string // slash path below the module's root
	part    string // folder of tools/internal, "main:NAME" for tools/NAME, or "program:NAME" for tools/internal/NAME/_program
	test    bool
	imports []string
}

func TestStagesImportOnlyWhatTheyMay(t *testing.T) {
	for _, s := range sources(t, "tools") {
		rule, known := stages[s.part]
		if !known {
			t.Errorf("%s: no rule for %q; add one to stages, with its reason", s.file, s.part)
			continue
		}
		for _, imported := range internalImports(s) {
			if imported == s.part || s.test && imported != "cli" || slices.Contains(rule.may, imported) {
				continue
			}
			if !slices.Contains(everywhere, imported) || slices.Contains(everywhere, s.part) {
				t.Errorf("%s: %s may not import %s: %s", s.file, s.part, imported, rule.why)
			}
		}
	}
}

func TestLibrariesStayInTheirStage(t *testing.T) {
	for _, s := range sources(t, "tools") {
		for _, imported := range s.imports {
			if why, ok := libraryFault(s, imported); !ok {
				t.Errorf("%s: %s may not import %s: %s", s.file, s.part, imported, why)
			}
		}
	}
}

// libraryFault applies the first rule whose prefix matches: the table goes from
// the special to the general.
func libraryFault(s source, imported string) (why string, ok bool) {
	for _, rule := range libraries {
		if !s.test && within(imported, rule.prefix) {
			return rule.why, slices.Contains(rule.only, s.part)
		}
	}
	return "", true
}

func TestCatalogStaysLight(t *testing.T) {
	for _, s := range sources(t, "tools/internal/catalog") {
		for _, imported := range s.imports {
			ours := slices.ContainsFunc(catalogLibraries, func(p string) bool { return strings.HasPrefix(imported, p) })
			if strings.Contains(imported, ".") && !ours && !s.test {
				t.Errorf("%s: catalog may not import %s: loading a catalog takes milliseconds and knows no ytt, OCI or Kubernetes", s.file, imported)
			}
		}
	}
}

func TestBlackBoxTestsImportNothingOfTheTools(t *testing.T) {
	for _, s := range sources(t, "test") {
		for _, imported := range s.imports {
			if within(imported, module+"tools") {
				t.Errorf("%s: test/ may not import %s: it drives the built binary as a user does", s.file, imported)
			}
		}
	}
}

// TestRulesNameWhatExists keeps the tables from outliving what they speak of.
func TestRulesNameWhatExists(t *testing.T) {
	for _, rule := range libraries {
		for _, part := range rule.only {
			require.Contains(t, stages, part, "rule for %s", rule.prefix)
		}
	}
	for part, rule := range stages {
		require.NotEmpty(t, rule.why, part)
		for _, may := range rule.may {
			require.Contains(t, stages, may, "rule for %s", part)
		}
	}
}

func within(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, prefix+"/")
}

// internalImports are the folders of tools/internal that s imports.
func internalImports(s source) []string {
	var parts []string
	for _, imported := range s.imports {
		if below, ok := strings.CutPrefix(imported, inner); ok {
			part, _, _ := strings.Cut(below, "/")
			parts = append(parts, part)
		}
	}
	return parts
}

// sources are the Go files below a folder of the module, sorted by path.
func sources(t *testing.T, below string) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var found []source
	err = fs.WalkDir(os.DirFS(root), below, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || path.Dir(name) == "tools/internal":
			return nil
		}
		imports, err := readImports(filepath.Join(root, filepath.FromSlash(name)))
		found = append(found, source{name, partOf(name), strings.HasSuffix(name, "_test.go"), imports})
		return err
	})
	require.NoError(t, err)
	return found
}

func partOf(name string) string {
	if below, ok := strings.CutPrefix(name, "tools/internal/"); ok {
		part, file, _ := strings.Cut(below, "/")
		if strings.HasPrefix(file, "_program/") {
			return "program:" + part
		}
		return part
	}
	below, _, _ := strings.Cut(strings.TrimPrefix(name, "tools/"), "/")
	return "main:" + below
}

func readImports(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("reading the imports of %s: %w", file, err)
	}
	var list []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("reading the imports of %s: %w", file, err)
		}
		list = append(list, imported)
	}
	return list, nil
}
