package environment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// API is what a cluster of one version of Kubernetes serves: Kubernetes' own
// kinds and those of CustomResourceDefinitions. It is not for concurrent use,
// since it reads what is asked for and keeps it.
type API struct {
	version    version
	files      fs.FS
	documents  map[schema.GroupVersion]*spec3.OpenAPI
	custom     map[schema.GroupVersionKind]customKind
	validators map[schema.GroupVersionKind]*validate.SchemaValidator
	// foreign are the group versions that others provide.
	foreign map[schema.GroupVersion]bool
	// definitions are the CustomResourceDefinitions.
	definitions map[manifest.Identity]manifest.Object
}

// version is a minor version of Kubernetes.
type version struct{ major, minor int }

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func (v version) atLeast(major, minor int) bool {
	return v.major > major || v.major == major && v.minor >= minor
}

// customKind is one version of a CustomResourceDefinition.
type customKind struct {
	schema     *spec.Schema
	deprecated string
}

// objectMeta is the name of the schema of metadata in Kubernetes' documents.
const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// errNotServed is for kinds that neither Kubernetes nor a definition has.
var errNotServed = errors.New("not served")

// NewAPI is the API of a version of Kubernetes, such as "1.34" or "v1.34.4".
// The files are the folder api/openapi-spec/v3 of the module
// k8s.io/kubernetes at that version: Kubernetes' own OpenAPI documents, one for
// each group and version.
func NewAPI(kubernetes string, files fs.FS) (*API, error) {
	a := &API{
		files:      files,
		documents:  map[schema.GroupVersion]*spec3.OpenAPI{},
		custom:     map[schema.GroupVersionKind]customKind{},
		validators: map[schema.GroupVersionKind]*validate.SchemaValidator{},
		foreign:    map[schema.GroupVersion]bool{},

		definitions: map[manifest.Identity]manifest.Object{},
	}
	if _, err := fmt.Sscanf(strings.TrimPrefix(kubernetes, "v"), "%d.%d", &a.version.major, &a.version.minor); err != nil {
		return nil, fmt.Errorf("%q is not a version of Kubernetes, such as 1.34", kubernetes)
	}
	if _, err := a.document(schema.GroupVersion{Version: "v1"}); err != nil {
		return nil, fmt.Errorf("reading the API of Kubernetes %s: %w", a.version, err)
	}
	return a, nil
}

// Allow adds group versions that others provide, such as monitoring.coreos.com/v1. What
// their kinds are is not known.
func (a *API) Allow(groupVersions []string) error {
	for _, text := range groupVersions {
		gv, err := schema.ParseGroupVersion(text)
		if err != nil {
			return fmt.Errorf("reading the APIs that others provide: %w", err)
		}
		a.foreign[gv] = true
	}
	return nil
}

// Define adds the kinds of all CustomResourceDefinitions among the objects.
func (a *API) Define(objects []manifest.Object) error {
	for _, o := range objects {
		if o.GroupVersionKind().GroupKind() != (schema.GroupKind{Group: apiextensions.GroupName, Kind: "CustomResourceDefinition"}) {
			continue
		}
		a.definitions[o.Identity()] = o
		var crd apiextensions.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &crd); err != nil {
			return fmt.Errorf("reading %s: %w", o.ID(), err)
		}
		for i := range crd.Spec.Versions {
			if err := a.define(crd.Spec, &crd.Spec.Versions[i]); err != nil {
				return fmt.Errorf("reading the schema of %s: %w", o.ID(), err)
			}
		}
	}
	return nil
}

// definitionsBeside are the CustomResourceDefinitions that are not among objects.
func (a *API) definitionsBeside(objects []manifest.Object) []manifest.Object {
	beside := maps.Clone(a.definitions)
	for _, o := range objects {
		delete(beside, o.Identity())
	}
	return slices.Collect(maps.Values(beside))
}

func (a *API) define(crd apiextensions.CustomResourceDefinitionSpec, v *apiextensions.CustomResourceDefinitionVersion) error {
	if !v.Served {
		return nil
	}
	kind := customKind{schema: &spec.Schema{}}
	if v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
		text, err := json.Marshal(v.Schema.OpenAPIV3Schema)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, kind.schema); err != nil {
			return err
		}
	}
	if v.Deprecated {
		kind.deprecated = "deprecated by its definition"
		if v.DeprecationWarning != nil {
			kind.deprecated = *v.DeprecationWarning
		}
	}
	a.custom[schema.GroupVersionKind{Group: crd.Group, Version: v.Name, Kind: crd.Names.Kind}] = kind
	return nil
}

// validator is that of a kind, or errNotServed.
func (a *API) validator(gvk schema.GroupVersionKind) (*validate.SchemaValidator, error) {
	if v := a.validators[gvk]; v != nil {
		return v, nil
	}
	closed, err := a.schema(gvk)
	if err != nil {
		return nil, err
	}
	v := validate.NewSchemaValidator(closed, nil, "", strfmt.Default)
	a.validators[gvk] = v
	return v, nil
}

func (a *API) schema(gvk schema.GroupVersionKind) (*spec.Schema, error) {
	if kind, ok := a.custom[gvk]; ok {
		core, err := a.document(schema.GroupVersion{Version: "v1"})
		if err != nil {
			return nil, err
		}
		c := closer{core.Components.Schemas}
		return c.embedded(c.schema(kind.schema, nil), nil), nil
	}
	document, err := a.document(gvk.GroupVersion())
	if err != nil {
		return nil, err
	}
	for _, s := range document.Components.Schemas {
		if isKind(s, gvk) {
			return closer{document.Components.Schemas}.schema(s, nil), nil
		}
	}
	return nil, errNotServed
}

// isKind tells whether a schema is that of a kind, and of no other: those of
// all kinds, such as DeleteOptions, are of many.
func isKind(s *spec.Schema, gvk schema.GroupVersionKind) bool {
	kinds, _ := s.Extensions["x-kubernetes-group-version-kind"].([]any)
	if len(kinds) != 1 {
		return false
	}
	kind, _ := kinds[0].(map[string]any)
	return kind["group"] == gvk.Group && kind["version"] == gvk.Version && kind["kind"] == gvk.Kind
}

func (a *API) document(gv schema.GroupVersion) (*spec3.OpenAPI, error) {
	if d := a.documents[gv]; d != nil {
		return d, nil
	}
	name := fmt.Sprintf("apis__%s__%s_openapi.json", gv.Group, gv.Version)
	if gv.Group == "" {
		name = fmt.Sprintf("api__%s_openapi.json", gv.Version)
	}
	if !fs.ValidPath(name) || strings.Contains(name, "/") {
		return nil, errNotServed // an apiVersion of nonsense
	}
	text, err := fs.ReadFile(a.files, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no %s", errNotServed, name)
	case err != nil:
		return nil, err
	}
	document := &spec3.OpenAPI{}
	if err := json.Unmarshal(text, document); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if document.Components == nil {
		return nil, fmt.Errorf("reading %s: it has no schemas", name)
	}
	a.documents[gv] = document
	return document, nil
}
