package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/release"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// HelmKubeVersion is the Kubernetes version that charts see, whatever
// cluster the package will run on: one package is rendered once, for all.
// It is the release that development clusters of this project run.
const HelmKubeVersion = "v1.34.0"

// renderHelm renders a chart as `helm template --include-crds` would for a
// first install, without a cluster: the CRDs of its crds folders first, then
// its templates by path.
//
// Hooks that run at an install or upgrade are kept as plain objects, since
// the package's own kapp configuration decides when what is applied. Hooks
// that run only at a deletion, a rollback or a test are left out: applied
// with the rest they would do at once what they are for later.
//
// Objects keep the namespace that their template gives them, or none.
func renderHelm(sources *os.Root, dir string, m catalog.Manifest) ([]Object, error) {
	if m.Release == nil || m.Release.Name == "" || m.Release.Namespace == "" {
		return nil, errors.New("release.name and release.namespace are missing in package.yml: charts name objects after them")
	}
	c, err := loadChart(sources, dir)
	if err != nil {
		return nil, err
	}
	if err := refuse(dir, nonDeterministic(c)); err != nil {
		return nil, err
	}
	rendered, err := renderTwice(sources, dir, m)
	if err != nil {
		return nil, err
	}
	crds, err := crdObjects(rendered.chart, dir)
	if err != nil {
		return nil, err
	}
	objects, err := fromTemplates(rendered.files, newLocator(sources.FS()), dir)
	return append(crds, objects...), err
}

// loadChart reads a chart's folder. Helm follows symbolic links wherever they
// lead, so what cannot be read within the sources is an error first.
func loadChart(sources *os.Root, dir string) (*chart.Chart, error) {
	err := fs.WalkDir(sources.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&fs.ModeSymlink != 0 {
			_, err = sources.Stat(name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the chart: %w", err)
	}
	c, err := loader.LoadDir(filepath.Join(sources.Name(), filepath.FromSlash(dir)))
	if err != nil {
		return nil, fmt.Errorf("reading the chart: %w", err)
	}
	return c, nil
}

// renderedChart is a chart without the dependencies that its values turn off,
// and what helm made of its templates, by their names.
type renderedChart struct {
	chart *chart.Chart
	files map[string]string
}

// renderTwice renders a chart two times and compares: a template may also be
// hidden in a value, where no parser looks.
func renderTwice(sources *os.Root, dir string, m catalog.Manifest) (*renderedChart, error) {
	first, err := renderChart(sources, dir, m)
	if err != nil {
		return nil, err
	}
	second, err := renderChart(sources, dir, m)
	if err != nil {
		return nil, err
	}
	for file, text := range first.files {
		if second.files[file] != text {
			return nil, fmt.Errorf("%s: the template renders differently each time: set the values that it generates", sourceOf(dir, file))
		}
	}
	return first, nil
}

// renderChart loads the chart anew, since rendering changes it.
func renderChart(sources *os.Root, dir string, m catalog.Manifest) (*renderedChart, error) {
	c, err := loadChart(sources, dir)
	if err != nil {
		return nil, err
	}
	given, err := helmValues(m.Values)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, given); err != nil {
		return nil, fmt.Errorf("choosing the chart's dependencies: %w", err)
	}
	capabilities, err := helmCapabilities()
	if err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: m.Release.Name, Namespace: m.Release.Namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(c, given, options, capabilities)
	if err != nil {
		return nil, fmt.Errorf("reading the chart's values: %w", err)
	}
	rendered, err := engine.Render(c, values)
	if err != nil {
		return nil, fmt.Errorf("rendering the chart's templates: %w", err)
	}
	return &renderedChart{chart: c, files: rendered}, nil
}

// helmValues copies values, since helm writes into them, by way of YAML, so
// that numbers have the types that a file of values would give them.
func helmValues(values map[string]any) (chartutil.Values, error) {
	data, err := chartutil.Values(values).YAML()
	if err != nil {
		return nil, fmt.Errorf("reading the values of package.yml: %w", err)
	}
	copied, err := chartutil.ReadValues([]byte(data))
	if err != nil {
		return nil, fmt.Errorf("reading the values of package.yml: %w", err)
	}
	return copied, nil
}

// helmCapabilities are the same on every machine: the version above and the
// APIs that helm's own client knows.
func helmCapabilities() (*chartutil.Capabilities, error) {
	version, err := chartutil.ParseKubeVersion(HelmKubeVersion)
	if err != nil {
		return nil, fmt.Errorf("reading the Kubernetes version for charts: %w", err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	return capabilities, nil
}

func crdObjects(c *chart.Chart, dir string) ([]Object, error) {
	var objects []Object
	var errs []error
	for _, crd := range c.CRDObjects() {
		some, err := Decode(sourceOf(dir, filepath.ToSlash(crd.Filename)), crd.File.Data)
		objects, errs = append(objects, some...), append(errs, err)
	}
	return objects, errors.Join(errs...)
}

// looseMarkers are what helm alone takes for markers of documents: three dashes
// at the start of a line with something right behind them, as "{{- end -}}" after
// a marker leaves it.
var looseMarkers = regexp.MustCompile(`(?m)^---([^\s-])`)

func fromTemplates(rendered map[string]string, lines *locator, dir string) ([]Object, error) {
	var objects []Object
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(rendered)) {
		if !isManifest(key) {
			continue
		}
		file := sourceOf(dir, key)
		some, err := Decode(file, looseMarkers.ReplaceAll([]byte(rendered[key]), []byte("---\n$1")))
		errs = append(errs, err)
		for _, o := range some {
			if isSkippedHook(o) {
				continue
			}
			o.Origin.Line = lines.line(file, o)
			objects = append(objects, o)
		}
	}
	return objects, errors.Join(errs...)
}

// sourceOf is the file of a template that helm names CHART/templates/….
func sourceOf(dir, key string) string {
	_, inside, _ := strings.Cut(key, "/")
	return path.Join(dir, inside)
}

// isSkippedHook tells hooks that have no part in an install or upgrade.
func isSkippedHook(o Object) bool {
	events, ok := o.GetAnnotations()[release.HookAnnotation]
	if !ok {
		return false
	}
	for event := range strings.SplitSeq(events, ",") {
		switch release.HookEvent(strings.TrimSpace(event)) {
		case release.HookPreInstall, release.HookPostInstall, release.HookPreUpgrade, release.HookPostUpgrade:
			return false
		}
	}
	return true
}
