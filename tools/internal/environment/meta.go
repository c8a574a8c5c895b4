package environment

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// RuleMetadata is for names, labels, annotations and the like that the API server
// refuses of an object.
const RuleMetadata = "metadata"

// checkMetadata validates metadata of an object whose kind is not known here, with the
// library of the API server, as it does for objects of CustomResourceDefinitions.
func checkMetadata(o manifest.Object, add report) {
	for _, err := range validation.ValidateObjectMetaAccessor(o.Unstructured, o.GetNamespace() != "", validation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		add(RuleMetadata, "%s", strings.Join(strings.Fields(err.Error()), " "))
	}
}

// nameless tells of an object that neither kapp nor the API server can name. Nothing
// else is said of it.
func nameless(o manifest.Object) bool { return o.GetName() == "" || o.GetKind() == "" }

// named are the objects that can be told apart.
func named(objects []manifest.Object) []manifest.Object {
	return slices.DeleteFunc(slices.Clone(objects), nameless)
}
