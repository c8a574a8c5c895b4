package manifest

import (
	"errors"
	"fmt"
	"io/fs"
)

// renderPlain reads a file, or all YAML and JSON files below a folder in the
// order of their paths.
func renderPlain(sources fs.FS, path string) ([]Object, error) {
	files, err := manifestFiles(sources, path)
	if err != nil {
		return nil, err
	}
	var objects []Object
	var errs []error
	for _, file := range files {
		data, err := fs.ReadFile(sources, file)
		if err != nil {
			return nil, fmt.Errorf("reading a manifest: %w", err)
		}
		some, err := Decode(file, data)
		objects, errs = append(objects, some...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return objects, nil
}

// manifestFiles lists a file as itself, whatever its name, and of a folder
// what looks like a manifest.
func manifestFiles(sources fs.FS, path string) ([]string, error) {
	info, err := fs.Stat(sources, path)
	if err != nil {
		return nil, fmt.Errorf("finding manifests: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = fs.WalkDir(sources, path, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isManifest(name) {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("finding manifests: %w", err)
	}
	return files, nil
}
