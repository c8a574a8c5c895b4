package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"carvel.dev/ytt/pkg/cmd/template"
	"carvel.dev/ytt/pkg/cmd/ui"
	"carvel.dev/ytt/pkg/files"
	"sigs.k8s.io/yaml"
)

// renderYtt renders a file, or all files below a folder, as `ytt -f` would,
// with values given as data values.
func renderYtt(sources fs.FS, dir string, values map[string]any) ([]Object, error) {
	input, err := yttFiles(sources, dir)
	if err != nil {
		return nil, err
	}
	options := template.NewOptions()
	if len(values) > 0 {
		if err := setValues(options, values); err != nil {
			return nil, err
		}
	}
	out := options.RunWithFiles(template.Input{Files: files.NewSortedFiles(input)}, ui.NewTTY(false))
	if out.Err != nil {
		return nil, out.Err
	}
	return fromYtt(out.Files, newLocator(sources), sources, dir)
}

// setValues gives values as one file of plain YAML, which ytt checks against
// the schema.
func setValues(options *template.Options, values map[string]any) error {
	data, err := yaml.Marshal(values)
	if err != nil {
		return fmt.Errorf("reading the values: %w", err)
	}
	const name = "values of package.yml"
	options.DataValuesFlags.FromFiles = []string{name}
	options.DataValuesFlags.ReadFilesFunc = func(string) ([]*files.File, error) {
		file, err := files.NewFileFromSource(files.NewBytesSource(name, data))
		return []*files.File{file}, err
	}
	return nil
}

func yttFiles(sources fs.FS, dir string) ([]*files.File, error) {
	var input []*files.File
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
		file, err := files.NewFileFromSource(files.NewBytesSource(relative, data))
		input = append(input, file)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading ytt files: %w", err)
	}
	return input, nil
}

func fromYtt(output []files.OutputFile, lines *locator, sources fs.FS, dir string) ([]Object, error) {
	info, err := fs.Stat(sources, dir)
	if err != nil {
		return nil, fmt.Errorf("reading ytt files: %w", err)
	}
	var objects []Object
	var errs []error
	for _, out := range output {
		file := dir
		if info.IsDir() {
			file = path.Join(dir, out.RelativePath())
		}
		if !isManifest(file) {
			continue
		}
		some, err := Decode(file, out.Bytes())
		for i := range some {
			some[i].Origin.Line = lines.line(file, some[i])
		}
		objects, errs = append(objects, some...), append(errs, err)
	}
	return objects, errors.Join(errs...)
}
