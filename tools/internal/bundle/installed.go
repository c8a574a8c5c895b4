package bundle

import (
	"encoding/json"
	"fmt"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

const (
	// namespaceLib is where a package says which annotations its Namespace has,
	// if they depend on values: the function annotations(values).
	namespaceLib = "lib/namespace.star"
	// createNamespace is the value by which a package leaves its Namespace to others.
	createNamespace = "createNamespace"
	// versionLabel is the package's, and not of what whoever installs it makes.
	versionLabel = "app.kubernetes.io/version"
)

// profilesWith are the permission profiles of a bundle and of those that its version
// moves from.
func profilesWith(b *Bundle, predecessors []*catalog.Version, installed []*Bundle) ([]rbac.Profile, error) {
	lists := [][]rbac.Profile{b.Profiles}
	for _, v := range predecessors {
		older := find(installed, v)
		if older == nil {
			return nil, fmt.Errorf("it moves from %s, whose bundle was not given", v.ID())
		}
		lists = append(lists, older.Profiles)
	}
	return rbac.MergeProfiles(lists...), nil
}

// OwnNamespace is what a package's own Namespace has beside its name.
type OwnNamespace struct{ Labels, Annotations map[string]string }

// namespaceOf is the Namespace that a package makes by default; nil where it makes
// none or cannot leave it to others.
func namespaceOf(defaults []manifest.Object, schema []byte) *OwnNamespace {
	own, leaves := ownNamespace(schema)
	if !leaves {
		return nil
	}
	for _, o := range defaults {
		if o.GetKind() == "Namespace" && o.GetName() == own {
			labels := o.GetLabels()
			delete(labels, versionLabel)
			return &OwnNamespace{labels, o.GetAnnotations()}
		}
	}
	return nil
}

// starlark is the namespace for installs.star; annotations is the name of the
// package's own function for them, or None.
func (n *OwnNamespace) starlark(annotations string) string {
	if n == nil {
		return "None"
	}
	if annotations == "None" {
		annotations = "lambda values: " + dict(n.Annotations)
	}
	return fmt.Sprintf("{\"labels\": %s, \"annotations\": %s}", dict(n.Labels), annotations)
}

// dict is a map as Starlark, which takes JSON for it where all is text.
func dict(texts map[string]string) string {
	if len(texts) == 0 {
		return "{}"
	}
	text, _ := json.Marshal(texts) // texts always encode
	return string(text)
}
