package manifest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/ytt"
)

// renderYtt renders a file, or all files below a folder, as `ytt -f` would,
// with values given as data values: one file of plain YAML, which ytt checks against
// the schema.
func renderYtt(ctx context.Context, sources fs.FS, dir string, values map[string]any) ([]Object, error) {
	input, err := yttFiles(sources, dir)
	if err != nil {
		return nil, err
	}
	request := ytt.Request{Files: input}
	if len(values) > 0 {
		text, err := yaml.Marshal(values)
		if err != nil {
			return nil, fmt.Errorf("reading the values: %w", err)
		}
		request.Values = []ytt.File{{Name: "values of package.yml", Data: text}}
	}
	made, err := request.Run(ctx)
	if err != nil {
		return nil, err
	}
	return fromYtt(made.Files, newLocator(sources), sources, dir)
}

func yttFiles(sources fs.FS, dir string) ([]ytt.File, error) {
	var input []ytt.File
	err := fs.WalkDir(sources, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(sources, name)
		if err != nil {
			return err
		}
		relative := strings.TrimPrefix(name, dir+"/")
		if name == dir {
			relative = path.Base(name)
		}
		input = append(input, ytt.File{Name: relative, Data: data})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading ytt files: %w", err)
	}
	return input, nil
}

func fromYtt(output []ytt.File, lines *locator, sources fs.FS, dir string) ([]Object, error) {
	info, err := fs.Stat(sources, dir)
	if err != nil {
		return nil, fmt.Errorf("reading ytt files: %w", err)
	}
	var objects []Object
	var errs []error
	for _, out := range output {
		file := dir
		if info.IsDir() {
			file = path.Join(dir, out.Name)
		}
		if !isManifest(file) {
			continue
		}
		some, err := Decode(file, out.Data)
		for i := range some {
			some[i].Origin.Line = lines.line(file, some[i])
		}
		objects, errs = append(objects, some...), append(errs, err)
	}
	return objects, errors.Join(errs...)
}
