package bundle

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// references are all references to the images of one repository, exactly as
// the objects write them, in order of the alphabet. Values that are documents
// of their own (a ConfigMap's data, a flag) are searched too, except in CRDs,
// whose descriptions name images in prose.
func references(objects []manifest.Object, repository string) []string {
	pattern := referencePattern(repository)
	found := map[string]bool{}
	for _, o := range objects {
		prose := o.GetKind() == crdKind
		manifest.EachText(o.Object, func(s string) {
			for _, ref := range pattern.find(s) {
				if !prose || ref == s {
					found[ref] = true
				}
			}
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// textReferences are the references within ytt files, for images that only an
// overlay brings in.
func textReferences(files map[string][]byte, repository string) []string {
	pattern := referencePattern(repository)
	found := map[string]bool{}
	for _, data := range files {
		for _, ref := range pattern.find(string(data)) {
			found[ref] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// finder finds references to one repository in a text.
type finder struct {
	repository string
	suffix     *regexp.Regexp
}

// referencePattern follows the grammar of
// https://github.com/distribution/reference: a tag, a digest, both or none.
func referencePattern(repository string) finder {
	return finder{repository, regexp.MustCompile(`^(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[a-z0-9]+:[0-9a-f]{32,})?`)}
}

func (f finder) find(text string) []string {
	var found []string
	for start := 0; ; {
		at := strings.Index(text[start:], f.repository)
		if at < 0 {
			return found
		}
		begin := start + at
		start = begin + len(f.repository)
		if begin > 0 && inName(text[begin-1]) {
			continue
		}
		suffix := strings.TrimRight(f.suffix.FindString(text[start:]), ".")
		if suffix == "" && start < len(text) && inName(text[start]) {
			continue
		}
		found = append(found, f.repository+suffix)
	}
}

// inName says whether a character beside a match makes it part of a longer
// name.
func inName(c byte) bool {
	return c == '.' || c == '_' || c == '/' || c == '-' ||
		'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
