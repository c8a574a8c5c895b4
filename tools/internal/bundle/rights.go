package bundle

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

func ownNamespaces(bundles []*Bundle) ([]string, error) {
	var names []string
	for _, b := range bundles {
		own, err := declaredNamespace(b.PackageCR)
		if err != nil {
			return nil, err
		}
		names = append(names, own)
	}
	return names, nil
}

// derive gives the rights for rendered objects, and the package's namespace.
func derive(objects []manifest.Object, values []ValuesFile, own string) (rbac.Rights, string, error) {
	namespace, err := chosenNamespace(values, own)
	if err != nil {
		return rbac.Rights{}, "", err
	}
	stored, _ := Split(objects)
	rights, err := rbac.Derive(stored, namespace)
	return rights, namespace, err
}

// rendered are the objects that ytt gives, before kbld.
func rendered(ctx context.Context, request yttRequest) ([]manifest.Object, error) {
	stream, err := request.run(ctx)
	if err != nil {
		return nil, err
	}
	parsed, err := parse(stream)
	if err != nil {
		return nil, err
	}
	objects := make([]manifest.Object, 0, len(parsed))
	for _, o := range parsed {
		objects = append(objects, manifest.Object{Unstructured: &unstructured.Unstructured{Object: o.DeepCopyRaw()}})
	}
	return objects, nil
}

// Account says for whom [ShippedRights] and [ExactRights] are.
type Account struct {
	// Name is the ServiceAccount's, by default the package's with "-installer".
	Name string
	// Namespace is that of the PackageInstall, and Install its name, by default
	// the package's.
	Namespace, Install string
	// PackageNamespace is where the package is installed to, by default its own
	// choice; OtherNamespaces are those that the values name beside it.
	// [ExactRights] knows both from the values.
	PackageNamespace string
	OtherNamespaces  []string
}

// ShippedRights are the objects of a bundle's rbac/ for an account: the permission
// profiles that these values of the package ask for.
func ShippedRights(ctx context.Context, b *Bundle, chosen []ValuesFile, a Account) ([]manifest.Object, error) {
	values := map[string]any{"namespace": a.Namespace}
	for key, value := range map[string]string{"account": a.Name, "install": a.Install, "packageNamespace": a.PackageNamespace} {
		if value != "" {
			values[key] = value
		}
	}
	if len(a.OtherNamespaces) > 0 {
		values["otherNamespaces"] = a.OtherNamespaces
	}
	files, err := ownFiles(values)
	if err != nil {
		return nil, err
	}
	if len(chosen) > 0 {
		merged, err := ytt.Merged(ctx, chosen)
		if err != nil {
			return nil, fmt.Errorf("reading the values of %s: %w", b.Package, err)
		}
		files = append(files, ValuesFile{Name: "values.yml", Data: nested("values", merged)})
	}
	objects, err := rendered(ctx, yttRequest{files: b.Files, dir: rightsDir, values: files, foreign: len(chosen) > 0})
	if err != nil {
		return nil, fmt.Errorf("rendering the permissions of %s %s: %w", b.Package, b.Version, err)
	}
	return objects, nil
}

// nested is a document of ytt's under a key.
func nested(key string, document []byte) []byte {
	text := []byte(key + ":\n")
	for line := range bytes.Lines(document) {
		text = append(append(text, "  "...), line...)
	}
	return text
}

// ExactRights are objects that give an account what an install with these values
// needs, and no more.
func ExactRights(ctx context.Context, b *Bundle, values []ValuesFile, a Account) ([]manifest.Object, error) {
	objects, err := rendered(ctx, yttRequest{files: b.Files, values: values, foreign: true})
	if err != nil {
		return nil, fmt.Errorf("rendering %s %s: %w", b.Package, b.Version, err)
	}
	return RightsOf(b, objects, values, a)
}

// RightsOf is [ExactRights] for what these values have been rendered to already.
func RightsOf(b *Bundle, objects []manifest.Object, values []ValuesFile, a Account) ([]manifest.Object, error) {
	own, err := declaredNamespace(b.PackageCR)
	if err != nil {
		return nil, err
	}
	rights, namespace, err := derive(objects, values, own)
	if err != nil {
		return nil, fmt.Errorf("deriving the permissions to install %s %s: %w", b.Package, b.Version, err)
	}
	return rights.Objects(rbac.Account{
		Name: cmp.Or(a.Name, b.Package+"-installer"), Namespace: a.Namespace,
		Install: cmp.Or(a.Install, b.Package), PackageNamespace: namespace,
	})
}

// light are the files with CRDs that have no schemas: these are most of what ytt
// reads, and no right depends on them.
func light(files map[string][]byte, objects []manifest.Object) map[string][]byte {
	crds, _ := split(objects, func(o manifest.Object) bool { return o.GetKind() == crdKind })
	if len(crds) == 0 {
		return files
	}
	for i, crd := range crds {
		crds[i] = manifest.Object{Unstructured: withoutSchemas(crd.Unstructured)}
	}
	var text bytes.Buffer
	if err := manifest.Encode(&text, crds); err != nil {
		return files
	}
	lighter := maps.Clone(files)
	lighter[crdFile] = text.Bytes()
	return lighter
}

func withoutSchemas(crd *unstructured.Unstructured) *unstructured.Unstructured {
	slim := &unstructured.Unstructured{Object: maps.Clone(crd.Object)}
	spec, _ := slim.Object["spec"].(map[string]any)
	spec = maps.Clone(spec)
	versions, _ := spec["versions"].([]any)
	versions = slices.Clone(versions)
	for i, version := range versions {
		if fields, ok := version.(map[string]any); ok {
			fields = maps.Clone(fields)
			delete(fields, "schema")
			versions[i] = fields
		}
	}
	spec["versions"] = versions
	slim.Object["spec"] = spec
	return slim
}

// ownNamespace is the default of the value "namespace", by which the user of a
// package chooses where its objects go; empty where there is none. It also tells
// whether there is a value by which the package leaves its Namespace to others.
func ownNamespace(schema []byte) (own string, leaves bool) {
	var values struct {
		Properties map[string]struct {
			Default any `json:"default"`
		} `json:"properties"`
	}
	_ = json.Unmarshal(schema, &values) // another type of value is another value
	own, _ = values.Properties["namespace"].Default.(string)
	_, leaves = values.Properties[createNamespace].Default.(bool)
	return own, leaves
}

// declaredNamespace is the own namespace that a Package resource declares, as
// [ownNamespace] finds it.
func declaredNamespace(packageCR []byte) (string, error) {
	var pkg struct {
		Spec struct {
			ValuesSchema struct {
				OpenAPIv3 json.RawMessage `json:"openAPIv3"`
			} `json:"valuesSchema"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(packageCR, &pkg); err != nil {
		return "", fmt.Errorf("reading the values schema of the Package: %w", err)
	}
	own, _ := ownNamespace(pkg.Spec.ValuesSchema.OpenAPIv3)
	return own, nil
}

func chosenNamespace(values []ValuesFile, own string) (string, error) {
	if own == "" {
		return "", nil
	}
	for _, file := range slices.Backward(values) {
		var chosen struct {
			Namespace string `json:"namespace"`
		}
		if err := yaml.Unmarshal(file.Data, &chosen); err != nil {
			return "", fmt.Errorf("reading the value \"namespace\": %w", err)
		}
		if chosen.Namespace != "" {
			return chosen.Namespace, nil
		}
	}
	return own, nil
}
