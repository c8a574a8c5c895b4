package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkImages refuses a reference to an image that images.lock.yml does not
// cover, wherever it stands: a container's image, but also an environment
// variable, a flag, a ConfigMap, an annotation or a custom resource that some
// controller will start pods from. Such an image is not carried over an air
// gap, is not pinned, and nobody knows of it until a pod cannot pull it.
//
// The upstream's objects may name a locked repository with any tag. What
// reaches a cluster must name the canonical repository by digest: a reference
// that kbld did not find keeps pointing to upstream's registry.
func checkImages(s *subject) []Finding {
	return append(upstreamImages(s.version, s.upstream), finalImages(s.version, s.canonical, s.final)...)
}

func upstreamImages(v *catalog.Version, objects []manifest.Object) []Finding {
	known := repositories(v)
	return imageFindings(v, objects, func(ref image) bool { return known[ref.repository] })
}

func finalImages(v *catalog.Version, canonical string, objects []manifest.Object) []Finding {
	locked := map[string]bool{}
	for _, img := range v.Images.Images {
		locked[canonical+"@"+img.Digest] = true
	}
	return imageFindings(v, objects, func(ref image) bool { return locked[ref.repository+"@"+ref.digest] })
}

func repositories(v *catalog.Version) map[string]bool {
	known := map[string]bool{}
	for _, img := range v.Package.Images {
		known[img.Reference] = true
	}
	return known
}

func imageFindings(v *catalog.Version, objects []manifest.Object, locked func(image) bool) []Finding {
	var findings []Finding
	known := repositories(v)
	for _, o := range objects {
		walk(o.Object, func(l leaf) {
			for _, ref := range imagesIn(l, known) {
				if !locked(ref) {
					findings = append(findings, at(o, fmt.Sprintf("%s names the image %q, which is not locked", l.path, ref.text), imageRemedy(v, known[ref.repository])))
				}
			}
		})
	}
	return findings
}

func imageRemedy(v *catalog.Version, known bool) string {
	if known {
		return "kbld did not find it: give it a searchRule for the field in config/kbld.yml"
	}
	return fmt.Sprintf("add it to images in %s and run \"strake images lock %s@%s\", or replace it before kbld runs",
		catalog.PackageFile, v.Package.Name, v.Version)
}

// image is a reference as it stands in an object.
type image struct {
	text       string
	repository string // without tag and digest, otherwise as written
	digest     string
}

// imagesIn are the images that a string names. A field, variable or flag that
// is called image holds one in whatever form. In any other text only what
// cannot be much else counts: HOST/PATH with a tag or digest, a reference with
// a scheme of its own (ko://), and the repositories of package.yml. So API
// groups, URLs and label values pass.
func imagesIn(l leaf, known map[string]bool) []image {
	if strings.Contains(l.path, kbldNote) {
		return nil
	}
	if isImageKey(l.key) && !isSwitch(l.value) {
		if ref, _, ok := parseImage(l.value); ok {
			return []image{ref}
		}
	}
	var found []image
	for _, word := range strings.FieldsFunc(l.value, betweenWords) {
		ref, certain, ok := parseImage(strings.TrimRight(word, ".:"))
		if ok && (certain || known[ref.repository] && strings.Contains(ref.repository, "/")) {
			found = append(found, ref)
		}
	}
	return found
}

// kbldNote is the annotation in which kbld keeps the references that it
// replaced, as it stands in a leaf's path.
const kbldNote = `["kbld.k14s.io/images"]`

// isImageKey knows image, sidecarImage, queue-sidecar-image, RELATED_IMAGE_X
// and --images.
func isImageKey(key string) bool {
	key = strings.TrimSuffix(strings.ToLower(key), "s")
	return strings.HasSuffix(key, "image") || strings.HasPrefix(key, "related_image_")
}

// isSwitch knows the values of a setting that allows images, such as Knative's
// kubernetes.podspec-volumes-image, and names none.
func isSwitch(value string) bool {
	return slices.Contains([]string{"true", "false", "enabled", "allowed", "disabled"}, strings.ToLower(value))
}

func betweenWords(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`,;=()[]{}<>|\\", r) }

// parseImage reads text as a reference. It is certain where nothing but an
// image is written in that form.
func parseImage(text string) (ref image, certain, ok bool) {
	bare, scheme := trimScheme(text)
	if bare == "" || strings.Contains(bare, "://") {
		return image{}, false, false
	}
	parsed, err := reference.Parse(bare)
	named, isNamed := parsed.(reference.Named)
	if err != nil || !isNamed {
		return image{}, false, false
	}
	ref = image{text: text, repository: strings.TrimSuffix(text, bare) + named.Name()}
	_, tagged := parsed.(reference.Tagged)
	digested, pinned := parsed.(reference.Digested)
	if pinned {
		ref.digest = digested.Digest().String()
	}
	return ref, scheme || hasHost(named.Name()) && (tagged || pinned), true
}

// trimScheme takes off the schemes that only images have.
func trimScheme(text string) (bare string, found bool) {
	for _, scheme := range []string{"ko://", "docker://", "oci://"} {
		if bare, found := strings.CutPrefix(text, scheme); found {
			return bare, true
		}
	}
	return text, false
}

func hasHost(name string) bool {
	host, _, path := strings.Cut(name, "/")
	return path && (strings.ContainsAny(host, ".:") || host == "localhost")
}
