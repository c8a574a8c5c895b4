package environment

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	segment "k8s.io/apimachinery/pkg/api/validation/path"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// RuleMetadata is for names, labels, annotations and the like that the API server
// refuses, of an object or of the pods of a workload.
const RuleMetadata = "metadata"

// checkMetadata validates metadata with the library of the API server.
func checkMetadata(o manifest.Object, add report) {
	errs := validation.ValidateObjectMetaAccessor(o.Unstructured, o.GetNamespace() != "", nameRule(o), field.NewPath("metadata"))
	for _, at := range [][]string{
		{"spec", "template", "metadata"},
		{"spec", "jobTemplate", "spec", "template", "metadata"},
	} {
		errs = append(errs, podMetadata(o, at)...)
	}
	for _, err := range errs {
		add(RuleMetadata, "%s", strings.Join(strings.Fields(err.Error()), " "))
	}
}

// podMetadata validates what a workload gives to its pods, whose names the cluster makes.
func podMetadata(o manifest.Object, at []string) field.ErrorList {
	content, found, err := unstructured.NestedMap(o.Object, at...)
	if err != nil || !found {
		return nil // the schema says what is wrong
	}
	pod := &unstructured.Unstructured{Object: map[string]any{"metadata": content}}
	pod.SetName("pod")
	pod.SetNamespace("default")
	return validation.ValidateObjectMetaAccessor(pod, true, validation.NameIsDNSSubdomain, field.NewPath(at[0], at[1:]...))
}

// nameRule is what the API server asks of the name of an object's kind. Those of
// k8s.io/kubernetes are in no library: kinds whose names are more than a DNS subdomain
// are listed here.
func nameRule(o manifest.Object) validation.ValidateNameFunc {
	kind := o.GroupVersionKind().GroupKind()
	switch {
	case kind.Group == rbacv1.GroupName:
		return func(name string, _ bool) []string { return segment.IsValidPathSegmentName(name) }
	case kind.Group == corev1.GroupName && kind.Kind == "Namespace":
		return validation.ValidateNamespaceName
	case kind.Group == corev1.GroupName && kind.Kind == "Service":
		return validation.NameIsDNS1035Label
	case kind.Group == corev1.GroupName && kind.Kind == "ServiceAccount":
		return validation.ValidateServiceAccountName
	}
	return validation.NameIsDNSSubdomain
}

// nameless tells of an object that neither kapp nor the API server can name. Nothing
// else is said of it.
func nameless(o manifest.Object) bool { return o.GetName() == "" || o.GetKind() == "" }

// named are the objects that can be told apart.
func named(objects []manifest.Object) []manifest.Object {
	return slices.DeleteFunc(slices.Clone(objects), nameless)
}
