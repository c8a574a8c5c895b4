package upstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// modulePrefix marks a directory that is a Go module.
const modulePrefix = "module://"

// config is a rendered and checked vendir.yml.
type config struct {
	vendir.Config
	// file is the template's path, for errors.
	file string
	// charts holds the SHA-256 (hex) of each chart's archive by the path of
	// its contents below the sources: vendir has no field for it.
	charts map[string]string
}

// chartSums reads, beside vendir's own fields, the one that we add.
type chartSums struct {
	Directories []struct {
		Path     string `json:"path"`
		Contents []struct {
			Path      string `json:"path"`
			HelmChart struct {
				SHA256 string `json:"sha256"`
			} `json:"helmChart"`
		} `json:"contents"`
	} `json:"directories"`
}

// readConfig renders a version's vendir.yml and refuses what could not be
// reproduced from it.
func readConfig(ctx context.Context, v *catalog.Version) (*config, error) {
	c := &config{file: filepath.Join(v.Package.Dir, catalog.VendirFile), charts: map[string]string{}}
	data, err := os.ReadFile(c.file)
	if err != nil {
		return nil, fmt.Errorf("reading what %s takes from upstream: %w", v.ID(), err)
	}
	rendered, err := renderTemplate(ctx, data, v)
	if err != nil {
		return nil, fmt.Errorf("rendering %s for %s: %w", c.file, v.ID(), err)
	}
	if c.Config, err = vendir.NewConfigFromBytes(rendered); err != nil {
		return nil, fmt.Errorf("reading %s: %w", c.file, err)
	}
	if err := c.readCharts(rendered); err != nil {
		return nil, err
	}
	c.clean()
	return c, c.check()
}

// renderTemplate runs ytt with the values that a template may use.
func renderTemplate(ctx context.Context, data []byte, v *catalog.Version) ([]byte, error) {
	values, err := yaml.Marshal(map[string]any{
		"version": v.Upstream,
		"package": map[string]any{"version": v.Version, "leftOut": leftOut(v)},
	})
	if err != nil {
		return nil, err
	}
	made, err := ytt.Request{Files: []ytt.File{
		{Name: "values.yml", Data: append([]byte("#@data/values\n---\n"), values...)},
		{Name: catalog.VendirFile, Data: data},
	}}.Run(ctx)
	if err != nil {
		return nil, err
	}
	if made.Documents != 1 {
		return nil, fmt.Errorf("it gives %d documents, and must give one, the Config: credentials come from the environment and no Secret", made.Documents)
	}
	return made.Stream, nil
}

// leftOut are the names of the optional images that the version does not have.
func leftOut(v *catalog.Version) []string {
	names := []string{}
	for _, l := range v.LeftOut {
		names = append(names, l.Image)
	}
	return names
}

func (c *config) readCharts(rendered []byte) error {
	var sums chartSums
	if err := yaml.Unmarshal(rendered, &sums); err != nil {
		return fmt.Errorf("reading %s: %w", c.file, err)
	}
	for _, d := range sums.Directories {
		for _, one := range d.Contents {
			if one.HelmChart.SHA256 != "" {
				c.charts[join(d.Path, one.Path)] = one.HelmChart.SHA256
			}
		}
	}
	return nil
}

// clean makes paths comparable and keeps a clone's own files out of the
// sources: they hold times and paths of this machine.
func (c *config) clean() {
	for i := range c.Directories {
		d := &c.Directories[i]
		d.Path = filepath.Clean(d.Path)
		for j := range d.Contents {
			one := &d.Contents[j]
			one.Path = filepath.Clean(one.Path)
			if one.Git != nil {
				one.ExcludePaths = append(one.ExcludePaths, ".git/**/*", "**/.git")
			}
		}
	}
}

// each calls f for all contents, with their path below the sources.
func (c *config) each(f func(path string, one *vendir.DirectoryContents) error) error {
	var errs []error
	for i := range c.Directories {
		d := &c.Directories[i]
		for j := range d.Contents {
			path := join(d.Path, d.Contents[j].Path)
			if err := f(path, &d.Contents[j]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %s: %w", c.file, path, err))
			}
		}
	}
	return errors.Join(errs...)
}

// fetches tells whether vendir brings anything in by itself.
func (c *config) fetches() bool {
	found := false
	_ = c.each(func(_ string, one *vendir.DirectoryContents) error {
		found = found || isFetched(one)
		return nil
	})
	return found
}

// modulePaths are the modules that are asked for, each once.
func (c *config) modulePaths() []string {
	var paths []string
	seen := map[string]bool{}
	_ = c.each(func(_ string, one *vendir.DirectoryContents) error {
		if path := modulePath(one); path != "" && !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}

// modulePath is the module's path, or nothing for other kinds of contents.
func modulePath(one *vendir.DirectoryContents) string {
	if one.Directory == nil {
		return ""
	}
	path, ok := strings.CutPrefix(one.Directory.Path, modulePrefix)
	if !ok {
		return ""
	}
	return path
}

// isFetched tells whether vendir.lock.yml has to pin the contents.
func isFetched(one *vendir.DirectoryContents) bool {
	return one.Directory == nil && one.Inline == nil
}

func join(dir, path string) string {
	return filepath.ToSlash(filepath.Join(dir, path))
}
