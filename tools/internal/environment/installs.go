package environment

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"carvel.dev/vendir/pkg/vendir/versions"
	vendir "carvel.dev/vendir/pkg/vendir/versions/v1alpha1"
	"github.com/carvel-dev/semver/v4"
	packaging "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/packaging/v1alpha1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

// overlaysAnnotation names a Secret of ytt files on a PackageInstall; it may be
// followed by a dot and a word, by which several are sorted.
const overlaysAnnotation = "ext.packaging.carvel.dev/ytt-paths-from-secret-name"

// secrets are the files in the Secrets of a list of objects, by namespace/name.
type secrets map[string]map[string]string

func secretsOf(objects []manifest.Object) (secrets, error) {
	found := secrets{}
	for _, o := range objects {
		if o.GetKind() != "Secret" || o.GroupVersionKind().Group != "" {
			continue
		}
		var secret struct {
			Data       map[string][]byte `json:"data"`
			StringData map[string]string `json:"stringData"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &secret); err != nil {
			return nil, fmt.Errorf("reading %s: %w", o.ID(), err)
		}
		files := map[string]string{}
		for name, data := range secret.Data {
			files[name] = string(data)
		}
		maps.Copy(files, secret.StringData)
		found[o.GetNamespace()+"/"+o.GetName()] = files
	}
	return found, nil
}

// Installs are the versions that the PackageInstalls among the objects come to on a
// cluster of whatever Kubernetes, sorted by name.
func Installs(c *catalog.Catalog, objects []manifest.Object) ([]*catalog.Version, error) {
	packages, err := installs(c, &catalog.Environment{}, objects)
	if err != nil {
		return nil, err
	}
	versions := make([]*catalog.Version, 0, len(packages))
	for _, p := range packages {
		versions = append(versions, p.Version)
	}
	return versions, nil
}

// installs are the packages of the PackageInstalls among the objects, sorted by
// name, not rendered yet.
func installs(c *catalog.Catalog, e *catalog.Environment, objects []manifest.Object) ([]Package, error) {
	kept, err := secretsOf(objects)
	if err != nil {
		return nil, err
	}
	var packages []Package
	for _, o := range objects {
		if o.GetKind() != "PackageInstall" || o.GroupVersionKind().Group != packaging.SchemeGroupVersion.Group {
			continue
		}
		var install packaging.PackageInstall
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &install); err != nil {
			return nil, fmt.Errorf("reading %s: %w", o.ID(), err)
		}
		p, err := kept.installed(c, e, install)
		if err != nil {
			return nil, fmt.Errorf("PackageInstall %s: %w", install.Name, err)
		}
		packages = append(packages, p)
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Name(), b.Name()) })
	return packages, nil
}

func (s secrets) installed(c *catalog.Catalog, e *catalog.Environment, install packaging.PackageInstall) (Package, error) {
	v, err := selected(c, e, install)
	if err != nil {
		return Package{}, err
	}
	values, err := s.values(install)
	if err != nil {
		return Package{}, err
	}
	overlays, err := s.overlays(install)
	account := rbac.Account{Name: install.Spec.ServiceAccountName, Namespace: install.Namespace, Install: install.Name}
	return Package{Version: v, Range: install.Spec.PackageRef.VersionSelection.Constraints, Values: values, Overlays: overlays, Installer: account}, err
}

// Inputs returns what the PackageInstall that stands first among the objects gives
// to its package: the files of values, and the overlays by name. Both are in the Secrets
// among the objects.
func Inputs(objects []manifest.Object) (values []bundle.ValuesFile, overlays map[string][]byte, err error) {
	kept, err := secretsOf(objects)
	if err != nil {
		return nil, nil, err
	}
	var install packaging.PackageInstall
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[0].Object, &install); err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", objects[0].ID(), err)
	}
	if values, err = kept.values(install); err != nil {
		return nil, nil, err
	}
	overlays, err = kept.overlays(install)
	return values, overlays, err
}

// values are those of all Secrets that the install names, in kapp-controller's order.
func (s secrets) values(install packaging.PackageInstall) ([]bundle.ValuesFile, error) {
	var all []bundle.ValuesFile
	for _, value := range install.Spec.Values {
		if value.SecretRef == nil {
			continue
		}
		files, err := s.files(install, value.SecretRef.Name)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			all = append(all, bundle.ValuesFile{Name: name, Data: []byte(files[name])})
		}
	}
	return all, nil
}

func (s secrets) overlays(install packaging.PackageInstall) (map[string][]byte, error) {
	overlays := map[string][]byte{}
	for _, key := range slices.Sorted(maps.Keys(install.Annotations)) {
		if key != overlaysAnnotation && !strings.HasPrefix(key, overlaysAnnotation+".") {
			continue
		}
		files, err := s.files(install, install.Annotations[key])
		if err != nil {
			return nil, err
		}
		for name, text := range files {
			overlays[name] = []byte(text)
		}
	}
	return overlays, nil
}

func (s secrets) files(install packaging.PackageInstall, name string) (map[string]string, error) {
	files, found := s[install.Namespace+"/"+name]
	if !found {
		return nil, fmt.Errorf("it names the Secret %s, which is not among the platform's objects", name)
	}
	return files, nil
}

// selected is the version that kapp-controller would choose: the newest that
// users are offered, that is in the range, and that is for the environment's
// Kubernetes and kapp-controller.
func selected(c *catalog.Catalog, e *catalog.Environment, install packaging.PackageInstall) (*catalog.Version, error) {
	name := strings.TrimSuffix(install.Spec.PackageRef.RefName, "."+c.Repository.Domain)
	p, err := c.Package(name)
	if err != nil {
		return nil, err
	}
	selection := install.Spec.PackageRef.VersionSelection
	// kapp-controller takes a single version for what is wanted, a pre-release too.
	if one, err := semver.Parse(selection.Constraints); err == nil && len(one.Pre) > 0 && selection.Prereleases == nil {
		selection.Prereleases = &vendir.VersionSelectionSemverPrereleases{}
	}
	var offered []string
	for _, v := range p.Versions {
		if c.Published(v) {
			offered = append(offered, v.Version)
		}
	}
	version, err := versions.HighestConstrainedVersionWithAdditionalConstraints(offered, vendir.VersionSelection{Semver: selection}, fits(p, e))
	if err != nil {
		return nil, fmt.Errorf("no version of %s is in the range %q and for Kubernetes %s; offered: %s", name, selection.Constraints, e.Kubernetes, strings.Join(offered, ", "))
	}
	return p.Version(version)
}

// fits are the conditions that the versions themselves make.
func fits(p *catalog.Package, e *catalog.Environment) []versions.ConstraintCallback {
	condition := func(name, actual string, wanted func(*catalog.Version) string) versions.ConstraintCallback {
		actual, broken := catalog.Release(actual)
		return versions.ConstraintCallback{Name: name, Constraint: func(version string) bool {
			v, err := p.Version(version)
			return err == nil && broken == nil && (actual == "" || wanted(v) == "" || catalog.Requirement{Constraint: wanted(v)}.Admits(actual))
		}}
	}
	return []versions.ConstraintCallback{
		condition("kubernetes-version-check", e.Kubernetes, func(v *catalog.Version) string { return v.Kubernetes }),
		condition("kapp-controller-version-check", e.KappController, func(v *catalog.Version) string { return v.KappController }),
	}
}
