package environment

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkImages finds images that do not come from the registry: whatever stands
// under a key "image", and references by digest, or by tag with a host, anywhere, as in
// environment variables, flags and ConfigMaps.
func checkImages(o manifest.Object, options Options, add report) {
	if options.Registry == "" {
		return
	}
	found := map[string]string{}
	for field, value := range o.Object {
		if field != "metadata" { // annotations tell where images came from
			images(field, field, value, found)
		}
	}
	allowed := append([]string{options.Registry}, options.Registries...)
	for _, at := range slices.Sorted(maps.Keys(found)) {
		if image := found[at]; !slices.ContainsFunc(allowed, func(registry string) bool { return isIn(image, registry) }) {
			add(RuleForeignImage, "%s names the image %s, which is not in %s; add its registry to registries in environment.yml if it is allowed", at, image, strings.Join(allowed, ", "))
		}
	}
}

func isIn(image, registry string) bool {
	return image == registry || strings.HasPrefix(image, strings.TrimSuffix(registry, "/")+"/") || pinnedIn(image, registry)
}

// pinnedIn is for a registry that is a repository itself, in which all images lie.
func pinnedIn(image, registry string) bool {
	rest, ok := strings.CutPrefix(image, registry)
	return ok && strings.ContainsAny(rest[:1], ":@")
}

// images gathers the references within a value by where they stand.
func images(at, key string, value any, found map[string]string) {
	switch value := value.(type) {
	case map[string]any:
		for k, below := range value {
			images(at+"."+k, k, below, found)
		}
	case []any:
		for i, below := range value {
			images(fmt.Sprintf("%s[%d]", at, i), key, below, found)
		}
	case string:
		if key == "image" && isImage(value) {
			found[at] = value
			return
		}
		for i, word := range strings.FieldsFunc(value, betweenWords) {
			if isReference(word) {
				found[fmt.Sprintf("%s (word %d)", at, i+1)] = word
			}
		}
	}
}

func betweenWords(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`,;=()[]{}<>|\\", r) }

func isImage(text string) bool {
	_, err := reference.ParseNormalizedNamed(text)
	return err == nil
}

// isReference tells of a reference by digest, or by tag with a host that has a dot or a
// port: without these, any word with a colon would be one by tag.
func isReference(word string) bool {
	parsed, err := reference.Parse(word)
	if err != nil {
		return false
	}
	named, isNamed := parsed.(reference.Named)
	_, digested := parsed.(reference.Digested)
	_, tagged := parsed.(reference.Tagged)
	return isNamed && (digested || tagged && strings.ContainsAny(reference.Domain(named), ".:"))
}
