package bundle

import (
	"errors"
	"fmt"
	"io"

	kbldcmd "carvel.dev/kbld/pkg/kbld/cmd"
	kbldconfig "carvel.dev/kbld/pkg/kbld/config"
	kbldimage "carvel.dev/kbld/pkg/kbld/image"
	kbldlog "carvel.dev/kbld/pkg/kbld/logger"
	kbldregistry "carvel.dev/kbld/pkg/kbld/registry"
	"carvel.dev/kbld/pkg/kbld/resources"
	"carvel.dev/kbld/pkg/kbld/search"
	"sigs.k8s.io/yaml"
)

// resolver replaces image references as "kbld -f - -f .imgpkg/images.yml"
// does, except that it never asks a registry: a reference that is neither
// locked nor a digest is an error instead.
type resolver struct {
	config  kbldconfig.Conf
	factory kbldimage.Factory
}

// resolve runs the resolver over YAML streams: the last is the ImagesLock.
// What is left are the objects without kbld's own configuration.
func resolve(streams ...[]byte) ([]map[string]any, error) {
	var all []resources.Resource
	for _, stream := range streams {
		part, err := parse(stream)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	objects, config, err := kbldconfig.NewConfFromResources(all)
	if err != nil {
		return nil, fmt.Errorf("kbld: %w", err)
	}
	r := newResolver(config)
	resolved := make([]map[string]any, 0, len(objects))
	for _, o := range objects {
		object, err := r.object(o)
		if err != nil {
			return nil, fmt.Errorf("kbld: %s: %w", o.Description(), err)
		}
		resolved = append(resolved, object)
	}
	return resolved, nil
}

func newResolver(config kbldconfig.Conf) resolver {
	options := kbldimage.FactoryOpts{Conf: config}
	// The zero registry is never used: lookup refuses what would need it.
	return resolver{config, kbldimage.NewFactory(options, kbldregistry.Registry{}, kbldlog.NewLogger(io.Discard))}
}

func parse(stream []byte) ([]resources.Resource, error) {
	docs, err := resources.NewYAMLFile(resources.NewBytesSource(stream)).Docs()
	if err != nil {
		return nil, fmt.Errorf("kbld: splitting the YAML stream: %w", err)
	}
	var all []resources.Resource
	for _, doc := range docs {
		part, err := resources.NewResourcesFromBytes(doc)
		if err != nil {
			return nil, fmt.Errorf("kbld: reading an object: %w", err)
		}
		all = append(all, part...)
	}
	return all, nil
}

func (r resolver) object(o resources.Resource) (map[string]any, error) {
	object := o.DeepCopyRaw()
	var images []kbldcmd.Image
	var failed error
	search.NewImageRefs(object, r.config.SearchRules()).Visit(func(url string) (string, bool) {
		image, err := r.lookup(url)
		if err != nil {
			failed = errors.Join(failed, err)
			return "", false
		}
		images = append(images, image)
		return image.URL, true
	})
	if failed != nil || len(images) == 0 {
		return object, failed
	}
	return annotated(object, images)
}

// annotated adds kbld's own record of the images.
func annotated(object map[string]any, images []kbldcmd.Image) (map[string]any, error) {
	text, err := kbldcmd.NewResourceWithImages(object, images).Bytes()
	if err != nil {
		return nil, fmt.Errorf("noting the images: %w", err)
	}
	var noted map[string]any
	if err := yaml.Unmarshal(text, &noted); err != nil {
		return nil, fmt.Errorf("reading the noted images: %w", err)
	}
	return noted, nil
}

func (r resolver) lookup(url string) (kbldcmd.Image, error) {
	if !r.locked(url) && kbldimage.MaybeNewDigestedImage(url) == nil {
		return kbldcmd.Image{}, fmt.Errorf("image %q is not locked: name it in package.yml, or by digest", url)
	}
	resolved, origins, err := r.factory.New(url).URL()
	if err != nil {
		return kbldcmd.Image{}, fmt.Errorf("resolving image %q: %w", url, err)
	}
	return kbldcmd.Image{URL: resolved, Origins: origins}, nil
}

func (r resolver) locked(url string) bool {
	matcher := kbldimage.NewMatcher(url)
	for _, override := range r.config.ImageOverrides() {
		if override.Preresolved && matcher.Matches(override.ImageRef) {
			return true
		}
	}
	return false
}
