package bundle

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// RenderOptions change how [Render] works.
type RenderOptions struct {
	// Repository is the OCI repository that the bundle is thought to be
	// fetched from, HOST/PATH; empty means the canonical one.
	Repository string
	// Overlays are further ytt files by name, as kapp-controller gives them to ytt
	// after the bundle's from a Secret that a PackageInstall names.
	Overlays map[string][]byte
}

// Render makes of a bundle and a user's files of values what
// kapp-controller gives to kapp, in the same order: ytt over config/ and then
// kbld with the bundle's lock, every image by digest in o.Repository. kapp's
// own Config is among the objects; [Split] takes it out. A wrong value is
// refused with ytt's message, which names the key; so is an image that is not
// locked. No registry is asked. Values and overlays are run by the worker of ctx, if
// there is one (see [ytt.With]): they may never end.
func Render(ctx context.Context, b *Bundle, values []ValuesFile, o RenderOptions) ([]manifest.Object, error) {
	stream, err := yttRequest{files: b.Files, values: values, overlays: o.Overlays, foreign: true}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("rendering %s %s: %w", b.Package, b.Version, err)
	}
	resolved, err := resolve(stream, relocated(b, o.Repository))
	if err != nil {
		return nil, fmt.Errorf("rendering %s %s: %w", b.Package, b.Version, err)
	}
	objects := make([]manifest.Object, 0, len(resolved))
	for _, content := range resolved {
		object := &unstructured.Unstructured{Object: content}
		objects = append(objects, manifest.Object{Unstructured: object, Origin: b.Origins[Key(object)]})
	}
	return objects, nil
}

// checkPackageImages refuses a Package in which kbld would find image
// references beside the bundle's own: kapp-controller runs it over the whole
// repository, and a string under a key "image", say in a default of the
// schema, would have to be resolved from a registry.
func checkPackageImages(packageCR []byte, reference string) error {
	var object map[string]any
	if err := yaml.Unmarshal(packageCR, &object); err != nil {
		return fmt.Errorf("reading the Package back: %w", err)
	}
	for _, url := range imageValues(object) {
		if url != reference {
			return fmt.Errorf("%s: a default holds the text %q under a key \"image\", which kapp-controller would take for an image of the repository; name the key otherwise", schemaFile, url)
		}
	}
	return nil
}

func imageValues(value any) []string {
	var found []string
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			found = append(found, imageValues(item)...)
		}
	case map[string]any:
		for key, item := range value {
			if text, ok := item.(string); ok && key == "image" {
				found = append(found, text)
			}
			found = append(found, imageValues(item)...)
		}
	}
	return found
}
