package catalog

import (
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
)

// parsePackage reads package.yml of the package folder named dir.
func parsePackage(f *file, data []byte, dir string) (p Package) {
	f.decode(data, &p)
	switch {
	case !f.has("name"):
	case p.Name != dir:
		f.bad("name", "name %q differs from its folder %q; one of them must change", p.Name, dir)
	case !dnsLabel.MatchString(p.Name):
		f.bad("name", "name %q is not a DNS label of lower-case letters, digits and dashes", p.Name)
	}
	checkURL(f, "metadata.source", p.Metadata.Source)
	for i, m := range p.Manifests {
		checkManifest(f, fmt.Sprintf("manifests[%d]", i), m)
	}
	for i, img := range p.Images {
		checkImage(f, fmt.Sprintf("images[%d]", i), img)
	}
	checkOptional(f, p)
	checkUnique(f, "images", p.Images, "name", func(img Image) string { return img.Name })
	checkUnique(f, "images", p.Images, "reference", func(img Image) string { return img.Reference })
	for i, r := range p.References {
		checkTextReference(f, fmt.Sprintf("references[%d].pattern", i), r.Pattern)
	}
	return p
}

func checkTextReference(f *file, at, text string) {
	pattern, err := regexp.Compile(text)
	switch {
	case err != nil:
		f.bad(at, "pattern %q is not a regular expression: %v", text, err)
	case pattern.SubexpIndex("name") < 0 && pattern.SubexpIndex("joined") < 0:
		f.bad(at, "pattern %q finds no name; put the name into the group (?P<name>…), or NAMESPACE-NAME into (?P<joined>…)", text)
	}
}

func checkURL(f *file, field, text string) {
	if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		f.bad(field, "%s %q is not an https URL", field, text)
	}
}

func checkManifest(f *file, at string, m Manifest) {
	kinds := []ManifestKind{Plain, Kustomize, Helm, Ytt}
	if m.Kind != "" && !slices.Contains(kinds, m.Kind) {
		f.bad(at+".kind", "unknown kind %q; known: %q", m.Kind, kinds)
		return
	}
	if m.Path != "" && (!fs.ValidPath(m.Path) || !filepath.IsLocal(m.Path)) {
		f.bad(at+".path", "path %q leaves the upstream sources or is not clean; write it relative to them, with forward slashes", m.Path)
	}
	if m.Kind == Helm && m.Release == nil {
		f.bad(at, "a helm manifest requires a release with a name and a namespace")
	}
	if m.Kind != Helm && m.Release != nil {
		f.bad(at+".release", "release is for helm manifests alone; remove it")
	}
	if m.Kind != Helm && m.Kind != Ytt && m.Values != nil {
		f.bad(at+".values", "values are for helm and ytt manifests alone; remove them")
	}
}
