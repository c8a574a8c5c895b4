package gitops

import (
	"cmp"
	"maps"
	"slices"

	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Need is a Secret or a ConfigMap that objects of an environment name and that
// none of them is or makes.
type Need struct {
	Kind, Namespace, Name string
	// For are the objects that name it, as [manifest.Object.ID] has them, sorted.
	For []string
}

// String is the need as people name objects: "Secret keda/registry-credentials".
func (n Need) String() string { return n.Kind + " " + n.Namespace + "/" + n.Name }

// reference is a Secret or ConfigMap that an object names.
type reference struct{ kind, namespace, name string }

// needsOf are those of all packages, sorted by namespace, kind and name.
func needsOf(packages []environment.Package) []Need {
	named, there := map[reference]map[string]bool{}, map[reference]bool{}
	for _, p := range packages {
		for _, o := range p.Objects {
			for _, at := range makes(o) {
				there[at] = true
			}
			for _, at := range references(o) {
				if named[at] == nil {
					named[at] = map[string]bool{}
				}
				named[at][o.ID()] = true
			}
		}
	}
	var needs []Need
	for at, by := range named {
		if !there[at] {
			needs = append(needs, Need{at.kind, at.namespace, at.name, slices.Sorted(maps.Keys(by))})
		}
	}
	slices.SortFunc(needs, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return needs
}

// makes are the Secrets and ConfigMaps that come with an object: itself, and
// what cert-manager keeps a certificate in.
func makes(o manifest.Object) []reference {
	gvk := o.GroupVersionKind()
	switch {
	case gvk.Group == "" && (gvk.Kind == secretKind || gvk.Kind == configMapKind):
		return []reference{{gvk.Kind, o.GetNamespace(), o.GetName()}}
	case gvk.Group == "cert-manager.io" && gvk.Kind == "Certificate":
		return references(o)
	}
	return nil
}

const (
	secretKind    = "Secret"
	configMapKind = "ConfigMap"
)

// referring are the fields by which Kubernetes' own kinds, and those that follow
// them, name a Secret or ConfigMap: as a text, or in the field name of an object
// or of each object in a list.
func referring() map[string]string {
	return map[string]string{
		"secretName": secretKind, "secret": secretKind, "secretRef": secretKind, "secretKeyRef": secretKind,
		"imagePullSecrets": secretKind, "certificateRefs": secretKind,
		"configMap": configMapKind, "configMapRef": configMapKind, "configMapKeyRef": configMapKind,
	}
}

// references are what an object names. The schemas of CRDs name nothing.
func references(o manifest.Object) []reference {
	if o.GetKind() == "CustomResourceDefinition" {
		return nil
	}
	w := walk{namespace: o.GetNamespace(), fields: referring()}
	if secret := o.GetAnnotations()[fetchAnnotation]; secret != "" && isInstall(o) {
		w.found = append(w.found, reference{secretKind, o.GetNamespace(), secret})
	}
	w.into(o.Object)
	return w.found
}

// walk gathers references of one object.
type walk struct {
	namespace string
	fields    map[string]string
	found     []reference
}

func (w *walk) into(value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			w.into(item)
		}
	case fields:
		for key, item := range value {
			if kind := w.fields[key]; kind != "" && value["optional"] != true {
				w.note(kind, item)
			}
			w.into(item)
		}
	}
}

// note takes one reference, or a list of them.
func (w *walk) note(kind string, value any) {
	switch value := value.(type) {
	case string:
		w.found = append(w.found, reference{kind, w.namespace, value})
	case []any:
		for _, item := range value {
			w.note(kind, item)
		}
	case fields:
		name, _ := value["name"].(string)
		if name == "" || value["optional"] == true {
			return
		}
		namespace, _ := value["namespace"].(string)
		w.found = append(w.found, reference{kind, cmp.Or(namespace, w.namespace), name})
	}
}
