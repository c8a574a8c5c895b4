package platform

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/example"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// ExampleNamespace is the default namespace of an example: example-PACKAGE-EXAMPLE.
func ExampleNamespace(e *catalog.Example) string {
	return "example-" + e.Package.Name + "-" + e.Name
}

// Example reads the objects of an example. Errors name the file and the line.
func Example(e *catalog.Example, namespace string) (example.Example, error) {
	read := example.Example{Package: e.Package.Name, Name: e.Name, Namespace: namespace}
	for _, declared := range e.Steps {
		w := declared.Until
		step := example.Step{Says: declared.Says, Until: example.Watch{
			APIVersion: w.APIVersion, Kind: w.Kind, Name: w.Name,
			Path: w.Path, Label: w.Label, Absent: w.Absent, Value: w.Value, Within: w.Limit(),
		}}
		var err error
		if step.Apply, err = exampleObjects(e, declared.Apply); err != nil {
			return read, err
		}
		if step.Delete, err = exampleObjects(e, declared.Delete); err != nil {
			return read, err
		}
		read.Steps = append(read.Steps, step)
	}
	return read, nil
}

// ExampleManifests are the objects of an example in the order in which they are
// applied, each in the namespace.
func ExampleManifests(e *catalog.Example, namespace string) ([]manifest.Object, error) {
	objects, err := exampleObjects(e, e.Files())
	if err != nil {
		return nil, err
	}
	manifests := make([]manifest.Object, 0, len(objects))
	for _, o := range objects {
		o.SetNamespace(namespace)
		manifests = append(manifests, manifest.Object{Unstructured: o})
	}
	return manifests, nil
}

func exampleObjects(e *catalog.Example, files []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(e.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("reading the example %s of %s: %w", e.Name, e.Package.Name, err)
		}
		decoded, err := manifest.Decode(path.Join("packages", e.Package.Name, catalog.ExamplesDir, e.Name, name), data)
		if err != nil {
			return nil, err
		}
		for _, o := range decoded {
			if o.GetNamespace() != "" {
				return nil, fmt.Errorf("%s: %s names a namespace; remove it, since the example has one of its own", o.Origin, o.ID())
			}
			objects = append(objects, o.Unstructured)
		}
	}
	return objects, nil
}
