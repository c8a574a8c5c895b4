package lint

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkMissing refuses a reference to what is not there:
//
//   - a Service that the API server calls for a webhook, a CRD's conversion or an
//     aggregated API. Upstreams ship a name for a namespace that someone is to
//     replace; until then no object of that CRD can be read.
//   - the Role of a RoleBinding. A binding moved into the package's namespace
//     still names a Role of kube-system, and grants nothing.
func checkMissing(s *subject) []Finding {
	return append(missingServices(s.final), missingRoles(s.final)...)
}

func missingServices(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		for _, s := range services(o) {
			if !slices.ContainsFunc(objects, s.is) {
				findings = append(findings, at(o, fmt.Sprintf("%s names the Service %s/%s, which is not in the package", s.path, s.namespace, s.name),
					"correct its namespace and name by an overlay"))
			}
		}
	}
	return findings
}

// service is one that the API server calls.
type service struct{ path, namespace, name string }

func (s service) is(o manifest.Object) bool {
	return o.GetKind() == "Service" && o.GroupVersionKind().Group == "" && o.GetNamespace() == s.namespace && o.GetName() == s.name
}

// services are those that the API server calls because of an object.
func services(o manifest.Object) []service {
	switch {
	case isWebhooks(o):
		var list []service
		for i, hook := range webhooksOf(o.Object) {
			fields, _ := hook.(map[string]any)
			list = append(list, serviceIn(fmt.Sprintf("webhooks[%d].", i), fields, "clientConfig", "service")...)
		}
		return list
	case isCRD(o):
		return serviceIn("", o.Object, "spec", "conversion", "webhook", "clientConfig", "service")
	case isAPIService(o):
		return serviceIn("", o.Object, "spec", "service")
	}
	return nil
}

func isAPIService(o manifest.Object) bool {
	return o.GetKind() == "APIService" && o.GroupVersionKind().Group == "apiregistration.k8s.io"
}

func serviceIn(within string, fields map[string]any, path ...string) []service {
	value, found, err := unstructured.NestedFieldNoCopy(fields, path...)
	called, ok := value.(map[string]any)
	if !found || err != nil || !ok {
		return nil // a URL, an API of the API server's own, no conversion
	}
	namespace, _ := called["namespace"].(string)
	name, _ := called["name"].(string)
	return []service{{within + strings.Join(path, "."), namespace, name}}
}

// bootstrapRoles are the Roles, NAMESPACE/NAME, that every API server makes.
func bootstrapRoles() []string {
	return []string{
		"kube-public/system:controller:bootstrap-signer",
		"kube-system/extension-apiserver-authentication-reader",
		"kube-system/system::leader-locking-kube-controller-manager",
		"kube-system/system::leader-locking-kube-scheduler",
	}
}

func missingRoles(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		kind, _, _ := unstructured.NestedString(o.Object, "roleRef", "kind")
		if o.GetKind() != "RoleBinding" || kind != "Role" {
			continue
		}
		name, _, _ := unstructured.NestedString(o.Object, "roleRef", "name")
		isRole := func(r manifest.Object) bool {
			return r.GetKind() == "Role" && r.GetNamespace() == o.GetNamespace() && r.GetName() == name
		}
		if role := o.GetNamespace() + "/" + name; !slices.Contains(bootstrapRoles(), role) && !slices.ContainsFunc(objects, isRole) {
			findings = append(findings, at(o, fmt.Sprintf("it grants the Role %s, which neither the package nor the API server creates", role),
				"put the binding into the namespace of its Role by an overlay"))
		}
	}
	return findings
}
