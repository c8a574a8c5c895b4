package manifest

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// krustyLock lets one kustomization run at a time: each sets the process-wide
// OpenAPI schema of kustomize's library.
var krustyLock sync.Mutex //nolint:gochecknoglobals // it guards a global of the library

// renderKustomize builds a kustomization as `kustomize build` would, without
// plugins, charts and remote resources. It runs in memory, on a copy of the
// sources and nothing else, where the topmost kustomization is told to
// annotate every object with its origin.
func renderKustomize(sources fs.FS, dir string) ([]Object, error) {
	memory, err := loadMemory(sources)
	if err != nil {
		return nil, err
	}
	check := localCheck{files: memory, seen: map[string]bool{}}
	if err := check.kustomization(dir); err != nil {
		return nil, err
	}
	if err := annotateOrigins(memory, dir); err != nil {
		return nil, err
	}
	krustyLock.Lock()
	defer krustyLock.Unlock()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, path.Join("/", dir))
	if err != nil {
		return nil, err
	}
	return fromResources(built, newLocator(sources), dir)
}

// loadMemory copies the sources into a file system in memory.
func loadMemory(sources fs.FS) (filesys.FileSystem, error) {
	memory := filesys.MakeFsInMemory()
	err := fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(sources, name)
		if err != nil {
			return err
		}
		return memory.WriteFile(path.Join("/", name), data)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	return memory, nil
}

// kustomizationFile finds the kustomization of a folder, by any of its names.
func kustomizationFile(memory filesys.FileSystem, dir string) (string, error) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file := path.Join("/", dir, name); memory.Exists(file) {
			return file, nil
		}
	}
	return "", fmt.Errorf("%s holds no kustomization (%s)", dir, strings.Join(konfig.RecognizedKustomizationFileNames(), ", "))
}

// annotateOrigins asks for origin annotations, in memory.
func annotateOrigins(memory filesys.FileSystem, dir string) error {
	file, err := kustomizationFile(memory, dir)
	if err != nil {
		return err
	}
	content, err := readMap(memory, file)
	if err != nil {
		return err
	}
	already, _ := content["buildMetadata"].([]any)
	content["buildMetadata"] = append(already, types.OriginAnnotations)
	data, err := yaml.Marshal(content)
	if err != nil {
		return fmt.Errorf("%s: %w", strings.TrimPrefix(file, "/"), err)
	}
	return memory.WriteFile(file, data)
}

func readMap(memory filesys.FileSystem, file string) (map[string]any, error) {
	data, err := memory.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a kustomization: %w", err)
	}
	content := map[string]any{}
	if err := yaml.Unmarshal(data, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.TrimPrefix(file, "/"), err)
	}
	return content, nil
}

func fromResources(built resmap.ResMap, lines *locator, dir string) ([]Object, error) {
	var objects []Object
	for _, r := range built.Resources() {
		file, err := originFile(r, dir)
		if err != nil {
			return nil, err
		}
		data, err := r.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		o, err := fromJSON(data, Origin{File: file})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		o.Origin.Line = lines.line(file, o)
		objects = append(objects, o)
	}
	return objects, nil
}

// originFile reads the origin of a resource and takes it off again. A
// generated one comes from the kustomization that configures the generator.
func originFile(r *resource.Resource, dir string) (string, error) {
	origin, err := r.GetOrigin()
	if err != nil {
		return "", fmt.Errorf("finding the origin of %s: %w", r.OrgId(), err)
	}
	if origin == nil {
		return dir, nil
	}
	if err := r.SetOrigin(nil); err != nil {
		return "", fmt.Errorf("removing the origin of %s: %w", r.OrgId(), err)
	}
	if origin.Path == "" {
		return path.Join(dir, origin.ConfiguredIn), nil
	}
	return path.Join(dir, origin.Path), nil
}
