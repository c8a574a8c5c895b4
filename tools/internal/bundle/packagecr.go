package bundle

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	kappctrl "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/kappctrl/v1alpha1"
	"github.com/vmware-tanzu/carvel-kapp-controller/pkg/apiserver/apis/datapackaging"
	packaging "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apiserver/apis/datapackaging/v1alpha1"
	"github.com/vmware-tanzu/carvel-kapp-controller/pkg/apiserver/apis/datapackaging/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// packageCR is the Package resource of a version's bundle; schema is the values'
// OpenAPI document as JSON, of which it has what [forPackage] leaves. It is checked
// with kapp-controller's own rules.
func packageCR(v *catalog.Version, repo catalog.Repository, b *Bundle, schema []byte) ([]byte, error) {
	name, checks := repo.FullName(v.Package.Name), clusterChecksOf(v, schema)
	annotations, err := requiresAnnotations(v, repo)
	if err != nil {
		return nil, err
	}
	if schema, err = forPackage(schema, elsewhere(v, repo)); err != nil {
		return nil, err
	}
	pkg := packaging.Package{
		TypeMeta:   typeMeta("Package"),
		ObjectMeta: metav1.ObjectMeta{Name: name + "." + v.Version, Annotations: annotations},
		Spec: packaging.PackageSpec{
			RefName:                         name,
			Version:                         v.Version,
			Licenses:                        v.Licenses,
			ReleasedAt:                      metav1.Time{Time: v.ReleasedAt.UTC()},
			CapactiyRequirementsDescription: requirements(v, repo),
			ReleaseNotes:                    v.ReleaseNotes,
			Template:                        packaging.AppTemplateSpec{Spec: app(b, checks)},
			ValuesSchema:                    packaging.ValuesSchema{OpenAPIv3: runtime.RawExtension{Raw: schema}},
			IncludedSoftware:                included(v),
			KappControllerVersionSelection:  selection(v.KappController),
			KubernetesVersionSelection:      selection(v.Kubernetes),
		},
	}
	if err := validate(pkg); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(v.Dir, catalog.VersionFile), err)
	}
	return document(pkg)
}

// elsewhere says of each package that the version installs where its values are described.
func elsewhere(v *catalog.Version, repo catalog.Repository) map[string]string {
	references := map[string]string{}
	for _, other := range v.Installed() {
		name := repo.FullName(other.Package.Name)
		references[other.Package.Name] = fmt.Sprintf("Values of %s %s, which that package describes: kctrl package available get -p %s/%s --values-schema",
			name, other.Version, name, other.Version)
	}
	return references
}

// app is how kapp-controller installs the bundle: fetch, ytt, kbld, kapp.
// kbld takes the lock as "imgpkg pull" leaves it, so that images come from
// where the bundle came from.
func app(b *Bundle, checks clusterChecks) *kappctrl.AppSpec {
	ytt := &kappctrl.AppTemplateYtt{Paths: []string{configDir}, FileMarks: plainMarks(b.Files, configDir)}
	if !checks.empty() {
		ytt.ValuesFrom = checks.sources()
	}
	return &kappctrl.AppSpec{
		Fetch: []kappctrl.AppFetch{{ImgpkgBundle: &kappctrl.AppFetchImgpkgBundle{Image: b.Reference()}}},
		Template: []kappctrl.AppTemplate{
			{Ytt: ytt},
			{Kbld: &kappctrl.AppTemplateKbld{Paths: []string{"-", imagesFile}}},
		},
		Deploy: []kappctrl.AppDeploy{{Kapp: deploy()}},
	}
}

const checkOften = "--wait-check-interval=250ms"

// deploy has kapp look four times a second, in the place of every third, whether what
// it waits for is there, or gone: it waits in several rounds, one after the other.
//
// The other options spare the account that installs rights. kapp keeps no record
// of each change: those have names that nobody knows before, so all ConfigMaps
// of the namespace would have to be open to it, with the records of others. It
// does not watch pods for logs, which no package asks for. Deleting, it waits for
// what it deployed alone: what controllers made of that is gone with its owner,
// and the roles in a namespace that is being deleted may be gone before a pod.
func deploy() *kappctrl.AppDeployKapp {
	return &kappctrl.AppDeployKapp{
		RawOptions: []string{checkOften, "--apply-concurrency=20", "--app-changes-max-to-keep=0", "--logs=false"},
		Delete:     &kappctrl.AppDeployKappDelete{RawOptions: []string{checkOften, "--wait-ignored=false"}},
	}
}

func included(v *catalog.Version) []packaging.IncludedSoftware {
	var list []packaging.IncludedSoftware
	for _, s := range v.Includes {
		list = append(list, packaging.IncludedSoftware{DisplayName: s.Name, Version: s.Version, Description: s.Description})
	}
	return list
}

func selection(constraints string) *packaging.VersionSelection {
	if constraints == "" {
		return nil
	}
	return &packaging.VersionSelection{Constraints: constraints}
}

// validate applies the rules of kapp-controller's API server, which would
// refuse the whole repository over one bad Package.
func validate(pkg packaging.Package) error {
	internal := datapackaging.Package{ObjectMeta: pkg.ObjectMeta}
	internal.Spec.RefName, internal.Spec.Version = pkg.Spec.RefName, pkg.Spec.Version
	if s := pkg.Spec.KubernetesVersionSelection; s != nil {
		internal.Spec.KubernetesVersionSelection = &datapackaging.VersionSelection{Constraints: s.Constraints}
	}
	if s := pkg.Spec.KappControllerVersionSelection; s != nil {
		internal.Spec.KappControllerVersionSelection = &datapackaging.VersionSelection{Constraints: s.Constraints}
	}
	return validation.ValidatePackage(internal).ToAggregate()
}

// MetadataCR is the PackageMetadata resource of a package, one YAML document.
func MetadataCR(p *catalog.Package, repo catalog.Repository) ([]byte, error) {
	m := p.Metadata
	spec := packaging.PackageMetadataSpec{
		DisplayName:        m.DisplayName,
		ShortDescription:   m.ShortDescription,
		LongDescription:    m.LongDescription,
		ProviderName:       m.ProviderName,
		Categories:         m.Categories,
		SupportDescription: m.SupportDescription,
	}
	for _, name := range m.Maintainers {
		spec.Maintainers = append(spec.Maintainers, packaging.Maintainer{Name: name})
	}
	return document(packaging.PackageMetadata{
		TypeMeta:   typeMeta("PackageMetadata"),
		ObjectMeta: metav1.ObjectMeta{Name: repo.FullName(p.Name)},
		Spec:       spec,
	})
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: packaging.SchemeGroupVersion.String(), Kind: kind}
}

// document prints a resource as YAML, without the empty times that its types
// print when nothing is set.
func document(resource any) ([]byte, error) {
	text, err := json.Marshal(resource)
	if err != nil {
		return nil, fmt.Errorf("encoding the resource: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("encoding the resource: %w", err)
	}
	if meta, ok := fields["metadata"].(map[string]any); ok {
		delete(meta, "creationTimestamp")
	}
	return yaml.Marshal(fields)
}
