package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// checkKinds refuses an object of a kind that no API serves: kapp stops before it
// changes anything, with "unknown kind", on every cluster. A kind is known that is
// Kubernetes' own or is defined by the package, by one that it requires, or by one
// that comes before all others.
//
// With other values than the defaults a user may ask for what is from elsewhere, such
// as a ServiceMonitor. Of those only a kind is refused that its own group lacks.
func checkKinds(s *subject) []Finding { return unknownKinds(s.final, s.installed) }

// kinds are the versions in which an API serves kinds.
type kinds map[schema.GroupKind][]string

// anyKind stands for all kinds of an aggregated API, which nothing lists.
const anyKind = "*"

// unknownKinds judges objects. Installed is nil where nobody knows what else is on
// the cluster.
func unknownKinds(objects []manifest.Object, installed kinds) []Finding {
	served := kindsOf(objects)
	groups := served.groups()
	served.add(installed)
	var findings []Finding
	for _, o := range objects {
		gvk := o.GroupVersionKind()
		if isKappConfig(o) || served.has(gvk) || isBuiltIn(gvk) {
			continue
		}
		if installed == nil && !groups[gvk.Group] && !scheme.Scheme.IsGroupRegistered(gvk.Group) {
			continue
		}
		message := fmt.Sprintf("no API serves %s %s: it is not Kubernetes' own, and no CRD of the package or of what it requires defines it", gvk.GroupVersion(), gvk.Kind)
		if versions := served[gvk.GroupKind()]; len(versions) > 0 {
			message = fmt.Sprintf("%s is not served in the version %s, only in %s", gvk.GroupKind(), gvk.Version, strings.Join(versions, ", "))
		}
		findings = append(findings, at(o, message, "correct apiVersion and kind, or name the package that defines it in requires of version.yml"))
	}
	return findings
}

// isBuiltIn tells whether a kind is Kubernetes' own. Its client knows all of them but
// those of the API servers for definitions and aggregation.
func isBuiltIn(gvk schema.GroupVersionKind) bool {
	switch gvk {
	case schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
		schema.GroupVersionKind{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"}:
		return true
	}
	return scheme.Scheme.Recognizes(gvk)
}

// kindsOf are those that the CRDs and APIServices among the objects bring.
func kindsOf(objects []manifest.Object) kinds {
	found := kinds{}
	for _, o := range objects {
		text := func(path ...string) string {
			value, _, _ := unstructured.NestedString(o.Object, path...)
			return value
		}
		switch {
		case isCRD(o):
			kind := schema.GroupKind{Group: text("spec", "group"), Kind: text("spec", "names", "kind")}
			for _, version := range crdVersions(o) {
				if name, _ := version["name"].(string); version["served"] == true {
					found[kind] = append(found[kind], name)
				}
			}
		case isAPIService(o):
			all := schema.GroupKind{Group: text("spec", "group"), Kind: anyKind}
			found[all] = append(found[all], text("spec", "version"))
		}
	}
	return found
}

func (k kinds) add(other kinds) {
	for kind, versions := range other {
		k[kind] = append(k[kind], versions...)
	}
}

func (k kinds) has(gvk schema.GroupVersionKind) bool {
	all := schema.GroupKind{Group: gvk.Group, Kind: anyKind}
	return slices.Contains(k[gvk.GroupKind()], gvk.Version) || slices.Contains(k[all], gvk.Version)
}

func (k kinds) groups() map[string]bool {
	groups := map[string]bool{}
	for kind := range k {
		groups[kind.Group] = true
	}
	return groups
}

// definitions find what is on a cluster before a version is installed there, and
// render each other package once.
type definitions struct {
	catalog *catalog.Catalog
	known   map[*catalog.Version]kinds
}

// before are the kinds of the packages that v requires, in the newest versions that
// it admits, and of those that every cluster has first.
func (d definitions) before(ctx context.Context, v *catalog.Version) (kinds, error) {
	all := kinds{}
	for _, other := range versionsBefore(d.catalog, v) {
		if d.known[other] == nil {
			b, err := repository.BuildVersion(ctx, d.catalog, other.StandIn(), repository.Options{})
			if err != nil {
				return nil, err
			}
			objects, err := bundle.Render(ctx, b, nil, bundle.RenderOptions{})
			if err != nil {
				return nil, fmt.Errorf("rendering %s, which comes before %s: %w", other.ID(), v.ID(), err)
			}
			d.known[other] = kindsOf(objects)
		}
		all.add(d.known[other])
	}
	return all, nil
}

func versionsBefore(c *catalog.Catalog, v *catalog.Version) []*catalog.Version {
	var versions []*catalog.Version
	newest := func(name string, admits func(version string) bool) {
		p, err := c.Package(name)
		if err != nil || p.Name == v.Package.Name {
			return
		}
		for _, other := range slices.Backward(p.Versions) {
			if admits(other.Version) {
				versions = append(versions, other)
				return
			}
		}
	}
	for _, r := range v.Requires {
		newest(r.Package, r.Admits)
	}
	for _, name := range c.Repository.Bootstrap {
		newest(name, func(string) bool { return true })
	}
	return versions
}
