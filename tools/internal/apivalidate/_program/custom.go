package main

import (
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructuredscheme"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
)

// custom is one version of a CustomResourceDefinition. What is built from it is built
// when its first object comes: of most definitions there is none.
type custom struct {
	definition *apiextensions.CustomResourceDefinition
	version    apiextensions.CustomResourceDefinitionVersion

	schema   *structural.Structural
	strategy rest.RESTCreateStrategy
}

// build makes of a version what the API server makes of it, but for conversions.
func (c *custom) build() error {
	if c.strategy != nil {
		return nil
	}
	all, err := apiextensions.GetSchemaForVersion(c.definition, c.version.Name)
	if err != nil {
		return err
	}
	if all == nil || all.OpenAPIV3Schema == nil {
		return fmt.Errorf("version %s has no schema", c.version.Name)
	}
	if c.schema, err = structural.NewStructural(all.OpenAPIV3Schema); err != nil {
		return err
	}
	if err := defaulting.PruneDefaults(c.schema); err != nil {
		return err
	}
	validator, _, err := validation.NewSchemaValidator(all.OpenAPIV3Schema)
	if err != nil {
		return err
	}
	subresources, err := apiextensions.GetSubresourcesForVersion(c.definition, c.version.Name)
	if err != nil {
		return err
	}
	if subresources == nil {
		subresources = &apiextensions.CustomResourceSubresources{}
	}
	// The strategy validates the schema, lists that are sets or maps, rules in CEL and
	// metadata.
	c.strategy = customresource.NewStrategy(unstructuredscheme.NewUnstructuredObjectTyper(),
		c.definition.Spec.Scope == apiextensions.NamespaceScoped, c.kind(), validator, nil, c.schema,
		subresources.Status, subresources.Scale, c.selectable())
	return nil
}

func (c *custom) selectable() []apiextensionsv1.SelectableField {
	fields := c.version.SelectableFields
	if len(fields) == 0 {
		fields = c.definition.Spec.SelectableFields
	}
	var converted []apiextensionsv1.SelectableField
	for _, f := range fields {
		converted = append(converted, apiextensionsv1.SelectableField{JSONPath: f.JSONPath})
	}
	return converted
}

func (c *custom) kind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: c.definition.Spec.Group, Version: c.version.Name, Kind: c.definition.Spec.Names.Kind}
}

// receive changes an object into what the API server makes of it before it validates:
// without fields that the schema does not know, and with defaults.
func (c *custom) receive(content map[string]any) {
	pruning.Prune(content, c.schema, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(content, c.schema)
	defaulting.Default(content, c.schema)
}
