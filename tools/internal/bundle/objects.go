package bundle

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

const crdKind = "CustomResourceDefinition"

// Key names an object by what overlays rarely change: API group, kind and
// name. Its namespace and version are left out.
func Key(o *unstructured.Unstructured) string {
	kind := o.GroupVersionKind()
	return strings.Join([]string{kind.Group, kind.Kind, o.GetName()}, "/")
}

// Split parts what a cluster stores from the configuration of the Carvel
// tools that stands among it (kapp's Config), which only kapp reads.
func Split(objects []manifest.Object) (stored, configs []manifest.Object) {
	configs, stored = split(objects, isConfig)
	return stored, configs
}

func isConfig(o manifest.Object) bool {
	group := o.GroupVersionKind().Group
	return group == "kapp.k14s.io" || group == "kbld.k14s.io"
}

func split(objects []manifest.Object, match func(manifest.Object) bool) (yes, no []manifest.Object) {
	for _, o := range objects {
		if match(o) {
			yes = append(yes, o)
		} else {
			no = append(no, o)
		}
	}
	return yes, no
}

func origins(objects []manifest.Object) map[string]manifest.Origin {
	found := make(map[string]manifest.Origin, len(objects))
	for _, o := range objects {
		found[Key(o.Unstructured)] = o.Origin
	}
	return found
}
