package environment

import (
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// closer makes schemas as the API server means them: references stand for what
// they refer to, and an object with declared fields has no others. It copies
// what it changes.
type closer struct{ components map[string]*spec.Schema }

const componentsPrefix = "#/components/schemas/"

// schema closes s. The path are the references that led here: a schema within
// itself, as in CustomResourceDefinitions, accepts anything there.
func (c closer) schema(s *spec.Schema, path []string) *spec.Schema {
	if s == nil {
		return nil
	}
	if name, ok := component(s); ok {
		if slices.Contains(path, name) || c.components[name] == nil {
			return &spec.Schema{}
		}
		return c.schema(c.components[name], append(slices.Clone(path), name))
	}
	closed := *s
	if s.Format == "int-or-string" {
		closed.Format = "" // Kubernetes' own word, which its oneOf says, too
	}
	closed.Properties = c.properties(s.Properties, path)
	closed.Items = c.items(s.Items, path)
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		closed.AdditionalProperties = &spec.SchemaOrBool{Allows: true, Schema: c.schema(s.AdditionalProperties.Schema, path)}
	}
	if embedded, _ := s.Extensions.GetBool("x-kubernetes-embedded-resource"); embedded {
		return c.embedded(&closed, path)
	}
	return c.close(&closed)
}

// component is the one that a schema stands for. Kubernetes puts a
// reference with a default or a description into an allOf.
func component(s *spec.Schema) (string, bool) {
	if len(s.AllOf) == 1 && s.Ref.String() == "" {
		s = &s.AllOf[0]
	}
	return strings.CutPrefix(s.Ref.String(), componentsPrefix)
}

func (c closer) properties(properties map[string]spec.Schema, path []string) map[string]spec.Schema {
	if properties == nil {
		return nil
	}
	closed := make(map[string]spec.Schema, len(properties))
	for name, s := range properties {
		closed[name] = *c.schema(&s, path)
	}
	return closed
}

func (c closer) items(items *spec.SchemaOrArray, path []string) *spec.SchemaOrArray {
	if items == nil || items.Schema == nil {
		return items
	}
	return &spec.SchemaOrArray{Schema: c.schema(items.Schema, path)}
}

func (c closer) close(s *spec.Schema) *spec.Schema {
	open, _ := s.Extensions.GetBool("x-kubernetes-preserve-unknown-fields")
	if len(s.Properties) > 0 && s.AdditionalProperties == nil && !open {
		s.AdditionalProperties = &spec.SchemaOrBool{Allows: false}
	}
	return s
}

// embedded gives a schema the fields that every object has, whatever its
// definition says of them.
func (c closer) embedded(s *spec.Schema, path []string) *spec.Schema {
	properties := map[string]spec.Schema{
		"apiVersion": *spec.StringProperty(),
		"kind":       *spec.StringProperty(),
	}
	for name, field := range s.Properties {
		properties[name] = field
	}
	if meta := c.components[objectMeta]; meta != nil {
		properties["metadata"] = *c.schema(meta, append(slices.Clone(path), objectMeta))
	}
	withFields := *s
	withFields.Properties = properties
	return c.close(&withFields)
}
