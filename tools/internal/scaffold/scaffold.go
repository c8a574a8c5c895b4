// Package scaffold writes the files with which a new package begins, so that they
// load, and every later step is a change of one of them.
//
// It must not fetch or build anything. Start reading at [Files].
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/carvel-dev/semver/v4"
	"golang.org/x/mod/module"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

//go:embed templates
var templates embed.FS

// Options say what a package is made of.
type Options struct {
	// Name is the package's and its namespace's; Version is the first version.
	Name, Version string
	// Module and ModuleVersion are the Go module that the manifests are in; empty for
	// a chart, and for a package without upstream sources. Path is the manifests'
	// folder in the module, and Kind what they are.
	Module, ModuleVersion, Path string
	Kind                        catalog.ManifestKind
	// Chart is a Helm chart's name, ChartVersion its version, Repository the URL it
	// is fetched from and SHA256 the sum of its archive.
	Chart, ChartVersion, Repository, SHA256 string
	Released                                time.Time
}

// Source is where the upstream's home is likely to be.
func (o Options) Source() string {
	switch {
	case o.Module != "":
		prefix, _, _ := module.SplitPathVersion(o.Module)
		return "https://" + prefix
	case o.Repository != "":
		return o.Repository
	}
	return "https://example.com/" + o.Name
}

// Manifests is the path of what is rendered, below the version's sources.
func (o Options) Manifests() string { return path.Join("upstream", o.Name, o.Path) }

var (
	nameForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	sumForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Check returns an error that names what is wrong with the options.
func (o Options) Check() error {
	var errs []error
	if !nameForm.MatchString(o.Name) {
		errs = append(errs, fmt.Errorf("the name %q is not of lower-case letters, digits and dashes, 63 at most", o.Name))
	}
	if _, err := semver.Parse(o.Version); err != nil {
		errs = append(errs, fmt.Errorf("the version %q is not a semantic version such as 1.2.3: %w", o.Version, err))
	}
	if o.Module != "" {
		if err := module.Check(o.Module, o.ModuleVersion); err != nil {
			errs = append(errs, fmt.Errorf("the module is not of the form PATH@VERSION: %w", err))
		}
		if !fs.ValidPath(o.Path) {
			errs = append(errs, fmt.Errorf("the path %q is not a folder in the module", o.Path))
		}
	}
	if o.Chart != "" && !sumForm.MatchString(o.SHA256) {
		errs = append(errs, fmt.Errorf("the sum %q of the chart's archive is not 64 hexadecimal digits; `helm pull` fetches the archive, `sha256sum` prints its sum", o.SHA256))
	}
	return errors.Join(errs...)
}

// Files returns the files of a new package by their slash paths in its folder.
func Files(o Options) (map[string][]byte, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	named := map[string]string{
		catalog.PackageFile:            "package.yml",
		"config/schema.yml":            "schema.yml",
		"config/kapp.yml":              "kapp.yml",
		"config/kbld.yml":              "kbld.yml",
		"config/objects/namespace.yml": "namespace.yml",
		path.Join(catalog.ExamplesDir, catalog.ExampleValuesFile): "example-values.yml",
		"test/namespace/values.yml":                               "values.yml",
		path.Join(o.Version, catalog.VersionFile):                 "version.yml",
		path.Join(o.Version, "go.mod"):                            "go.mod.txt",
	}
	if o.Kind != "" {
		named[catalog.VendirFile] = "vendir.yml"
		named["config/overlays/namespace.yml"] = "overlay.yml"
	}
	files := map[string][]byte{}
	for file, name := range named {
		text, err := fill(name, o)
		if err != nil {
			return nil, err
		}
		files[file] = text
	}
	return files, nil
}

func fill(name string, o Options) ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, o); err != nil {
		return nil, fmt.Errorf("filling in %s: %w", name, err)
	}
	return text.Bytes(), nil
}

// Write writes the files into a new folder, as a whole or not at all.
func Write(dir string, files map[string][]byte) (err error) {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists", dir)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*")
	if err != nil {
		return fmt.Errorf("making a folder for the package: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	for name, text := range files {
		file := filepath.Join(temp, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return fmt.Errorf("opening the package's folder to all: %w", err)
	}
	return os.Rename(temp, dir)
}

// Next are the commands to type after the package's files are there.
func Next(o Options) []string {
	id := o.Name + "@" + o.Version
	folder := path.Join("packages", o.Name, o.Version)
	var list []string
	if o.Module != "" {
		list = append(list,
			fmt.Sprintf("(cd %s && go get %s@%s)", folder, o.Module, o.ModuleVersion),
			fmt.Sprintf("(cd %s && go get -tool %s/cmd/COMMAND@%s)  # for each image that package.yml names", folder, o.Module, o.ModuleVersion))
	}
	if o.Chart != "" {
		list = append(list, "strake upstream lock "+id)
	}
	if o.Kind != "" {
		list = append(list, "strake images lock "+id)
	}
	return append(list, "strake render "+id, "strake lint "+id,
		fmt.Sprintf("go test ./tools/internal/repository -run TestRenderCases/%s -update", o.Name))
}

// Split reads PATH@VERSION.
func Split(text string) (name, version string, err error) {
	name, version, found := strings.Cut(text, "@")
	if !found || name == "" || version == "" {
		return "", "", fmt.Errorf("%q is not of the form NAME@VERSION", text)
	}
	return name, version, nil
}
