package manifest

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// localCheck walks a kustomization and those below it before kustomize does.
// kustomize takes whatever is not on disk for something to download, and has
// no switch against it.
type localCheck struct {
	files filesys.FileSystem
	seen  map[string]bool
}

// accumulated are the fields whose entries are files, folders with another
// kustomization, or else remote.
func accumulated() []string {
	return []string{"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"}
}

func (c *localCheck) kustomization(dir string) error {
	if c.seen[dir] {
		return nil
	}
	c.seen[dir] = true
	file, err := kustomizationFile(c.files, dir)
	if err != nil {
		return err
	}
	content, err := readMap(c.files, file)
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(file, "/")
	errs := []error{prefix(name, checkRefused(content))}
	for _, err := range urls("", content) {
		errs = append(errs, prefix(name, err))
	}
	for _, field := range accumulated() {
		entries, _ := content[field].([]any)
		for _, entry := range entries {
			errs = append(errs, c.entry(dir, name, field, entry))
		}
	}
	return errors.Join(errs...)
}

func prefix(file string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", file, err)
}

// entry checks one entry of a field, and the kustomization that it leads to.
func (c *localCheck) entry(dir, file, field string, entry any) error {
	name, ok := entry.(string)
	if !ok || strings.Contains(name, "\n") {
		return nil // written out in place, or for kustomize to refuse
	}
	target := path.Join(dir, name)
	switch {
	case path.IsAbs(name) || target == ".." || strings.HasPrefix(target, "../"):
		return fmt.Errorf("%s: %s: %s is outside of the sources", file, field, name)
	case !c.files.Exists(path.Join("/", target)):
		return fmt.Errorf("%s: %s: %s is not in the sources: what is remote must be fetched by vendir.yml, and includePaths must include what is required", file, field, name)
	case c.files.IsDir(path.Join("/", target)):
		return c.kustomization(target)
	case field == "generators" || field == "transformers" || field == "validators":
		return c.plugins(target)
	}
	return nil
}

// plugins checks a file that configures transformers and the like, whose
// fields name files as a kustomization's do.
func (c *localCheck) plugins(file string) error {
	data, err := c.files.ReadFile(path.Join("/", file))
	if err != nil {
		return fmt.Errorf("reading a kustomization: %w", err)
	}
	var errs []error
	for _, d := range split(data) {
		var content map[string]any
		if err := yaml.Unmarshal(d.data, &content); err != nil {
			continue // for kustomize to refuse
		}
		for _, err := range urls("", content) {
			errs = append(errs, prefix(Origin{File: file, Line: d.line}.String(), err))
		}
	}
	return errors.Join(errs...)
}

// checkRefused names what would need a program or the network.
func checkRefused(content map[string]any) error {
	for _, field := range []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals"} {
		if content[field] != nil {
			return fmt.Errorf("%s would run helm: fetch the chart with vendir.yml and render it with kind helm", field)
		}
	}
	return nil
}

// urls finds addresses wherever kustomize would read a file.
func urls(field string, value any) []error {
	var errs []error
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			errs = append(errs, urls(key, v[key])...)
		}
	case []any:
		for _, child := range v {
			errs = append(errs, urls(field, child)...)
		}
	case string:
		if namesFile(field) && isRemote(v) {
			errs = append(errs, fmt.Errorf("%s: %s is remote: fetch it with vendir.yml", field, v))
		}
	}
	return errs
}

func namesFile(field string) bool {
	switch field {
	case "path", "files", "envs", "env", "patchesStrategicMerge":
		return true
	}
	return false
}

func isRemote(s string) bool {
	return !strings.Contains(s, "\n") && regexp.MustCompile(`(^|=)[a-z+]+://`).MatchString(s)
}
