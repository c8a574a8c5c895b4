// Package manifest turns a version's sources into Kubernetes objects: plain
// YAML, kustomizations, Helm charts and ytt templates go in, and one list of
// objects comes out, each with the upstream file and line that it came from,
// so that every later error can point there.
//
// The same input gives the same objects in the same order on every machine,
// without network and without a cluster. What cannot promise that is refused
// with the reason: remote resources of a kustomization, and charts that ask a
// cluster, make keys or read the clock.
//
// It must not know where the sources came from, nor what becomes of the
// objects. Start reading at [Render]; there is one file for each kind of
// manifest, and decode.go reads the YAML that all of them end in.
package manifest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// Origin is where an object stands in the sources.
type Origin struct {
	// File is a slash path below the sources' folder.
	File string `json:"file"`
	// Line counts from 1; it is 0 where the object cannot be found in its
	// file, because a template or generator makes it.
	Line int `json:"line,omitempty"`
}

// String is the origin as errors show it.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// Object is a Kubernetes object and where it comes from.
type Object struct {
	*unstructured.Unstructured
	Origin Origin
}

// ID names an object within a cluster, such as "Deployment.apps keda/keda-operator".
// Two API versions of one object have the same ID.
func (o Object) ID() string {
	kind := o.GroupVersionKind().GroupKind().String()
	if o.GetNamespace() == "" {
		return kind + " " + o.GetName()
	}
	return kind + " " + o.GetNamespace() + "/" + o.GetName()
}

// Render makes the objects of all manifests, in the order of the manifests
// and, within one, in the order that its kind defines. dir is the sources'
// folder; nothing outside of it is read.
func Render(ctx context.Context, dir string, manifests []catalog.Manifest) ([]Object, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the sources: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := checkSources(root.FS()); err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	var objects []Object
	for _, m := range manifests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some, err := render(ctx, root, m)
		if err != nil {
			return nil, fmt.Errorf("rendering %s as %s: %w", m.Path, m.Kind, err)
		}
		if len(some) == 0 {
			return nil, fmt.Errorf("rendering %s as %s: there is no object in it: correct the path in package.yml", m.Path, m.Kind)
		}
		objects = append(objects, some...)
	}
	return objects, checkUnique(objects)
}

func render(ctx context.Context, root *os.Root, m catalog.Manifest) ([]Object, error) {
	if !filepath.IsLocal(m.Path) {
		return nil, errors.New("the path leads out of the sources")
	}
	if m.Release != nil && m.Kind != catalog.Helm {
		return nil, errors.New("release is only for helm")
	}
	if m.Values != nil && m.Kind != catalog.Helm && m.Kind != catalog.Ytt {
		return nil, errors.New("values are only for helm and ytt")
	}
	path := filepath.ToSlash(filepath.Clean(m.Path))
	switch m.Kind {
	case catalog.Plain:
		return renderPlain(root.FS(), path)
	case catalog.Kustomize:
		return renderKustomize(root.FS(), path)
	case catalog.Helm:
		return renderHelm(root, path, m)
	case catalog.Ytt:
		return renderYtt(ctx, root.FS(), path, m.Values)
	}
	return nil, fmt.Errorf("unknown kind %q: use plain, kustomize, helm or ytt", m.Kind)
}

// checkUnique refuses two objects that a cluster would take for one.
func checkUnique(objects []Object) error {
	seen := map[string]Origin{}
	var errs []error
	for _, o := range objects {
		if first, ok := seen[o.ID()]; ok {
			errs = append(errs, fmt.Errorf("%s: %s is already defined at %s", o.Origin, o.ID(), first))
			continue
		}
		seen[o.ID()] = o.Origin
	}
	return errors.Join(errs...)
}

// isManifest tells YAML and JSON files from others.
func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}
