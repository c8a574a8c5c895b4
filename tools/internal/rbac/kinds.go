package rbac

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// kinds are the plural names that the CRDs among a package's objects define.
type kinds map[schema.GroupKind]string

func kindsOf(objects []manifest.Object) kinds {
	found := kinds{}
	for _, o := range objects {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		plural, _, _ := unstructured.NestedString(o.Object, "spec", "names", "plural")
		if kind != "" && plural != "" {
			found[schema.GroupKind{Group: group, Kind: kind}] = plural
		}
	}
	return found
}

// resource is the plural of an object's kind. Kinds of Kubernetes itself and of
// CRDs that other packages bring have regular plurals.
func (k kinds) resource(gvk schema.GroupVersionKind) string {
	if plural, ok := k[gvk.GroupKind()]; ok {
		return plural
	}
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	// The library makes gatewaies of Gateway.
	if kind := strings.ToLower(gvk.Kind); len(kind) > 1 && strings.HasSuffix(kind, "y") && strings.ContainsRune("aeiou", rune(kind[len(kind)-2])) {
		return kind + "s"
	}
	return plural.Resource
}
