package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	serviceapi "k8s.io/kubernetes/pkg/api/service"
	core "k8s.io/kubernetes/pkg/apis/core"
)

// server is what the API server knows: its own kinds and those of definitions.
type server struct {
	strategies map[schema.GroupKind]rest.RESTCreateStrategy
	customs    map[schema.GroupVersionKind]*custom
}

func validate(input Input) (Output, error) {
	s := server{strategies(), map[schema.GroupVersionKind]*custom{}}
	for _, text := range input.Definitions {
		s.define(text)
	}
	for _, text := range input.Objects {
		s.define(text)
	}
	output := Output{Findings: []Finding{}, Unknown: []int{}}
	for i, text := range input.Objects {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return output, fmt.Errorf("reading object %d: %w", i, err)
		}
		delete(object.Object, "status") // it is the cluster's
		err := s.create(object)
		if errors.Is(err, errUnknown) {
			output.Unknown = append(output.Unknown, i)
			continue
		}
		for _, f := range findings(err) {
			f.Object = i
			output.Findings = append(output.Findings, f)
		}
	}
	return output, nil
}

// define adds the kinds of a text if it is a CustomResourceDefinition. One that cannot
// be decoded has a finding, if it is among the objects.
func (s server) define(text []byte) {
	var kind metav1.TypeMeta
	if json.Unmarshal(text, &kind) != nil || kind.GroupVersionKind().GroupKind() != apiextensions.Kind("CustomResourceDefinition") {
		return
	}
	decoded, _, err := legacyscheme.Codecs.UniversalDecoder().Decode(text, nil, nil)
	definition, ok := decoded.(*apiextensions.CustomResourceDefinition)
	if err != nil || !ok {
		return
	}
	for _, version := range definition.Spec.Versions {
		if version.Served {
			c := &custom{definition: definition, version: version}
			s.customs[c.kind()] = c
		}
	}
}

// errUnknown is for kinds that are not served.
var errUnknown = errors.New("unknown kind")

// create does what the API server does to a new object, and returns why it would not
// be stored.
func (s server) create(object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	if c := s.customs[kind]; c != nil {
		return c.create(object)
	}
	strategy := s.strategies[kind.GroupKind()]
	if strategy == nil || !legacyscheme.Scheme.Recognizes(kind) {
		return errUnknown
	}
	text, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	decoded, _, err := legacyscheme.Codecs.UniversalDecoder().Decode(text, nil, nil)
	if err != nil {
		return err
	}
	allocate(decoded)
	if err := before(strategy, kind, decoded); err != nil {
		return err
	}
	versioned, err := legacyscheme.Scheme.ConvertToVersion(decoded, kind.GroupVersion())
	if err != nil {
		return err
	}
	stored, err := runtime.Encode(protobuf.NewSerializer(legacyscheme.Scheme, legacyscheme.Scheme), versioned)
	if err != nil {
		return err
	}
	return checkSize(len(stored)).ToAggregate()
}

func (c *custom) create(object *unstructured.Unstructured) error {
	if err := c.build(); err != nil {
		return fmt.Errorf("its CustomResourceDefinition cannot be used: %w", err)
	}
	c.receive(object.Object)
	if err := before(c.strategy, c.kind(), object); err != nil {
		return err
	}
	stored, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	return checkSize(len(stored)).ToAggregate()
}

// allocate does to a Service what the allocators of addresses and ports do, as far as
// its validation asks for it. It is the one hook of the API server in front of a strategy.
func allocate(object runtime.Object) {
	service, ok := object.(*core.Service)
	if !ok {
		return
	}
	if service.Spec.ClusterIP != "" && service.Spec.ClusterIPs == nil {
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	if serviceapi.NeedsHealthCheck(service) && service.Spec.HealthCheckNodePort == 0 {
		service.Spec.HealthCheckNodePort = 30000 // any
	}
}

// before prepares and validates an object as the API server does before it stores it.
func before(strategy rest.RESTCreateStrategy, kind schema.GroupVersionKind, object runtime.Object) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	namespace := accessor.GetNamespace()
	if strategy.NamespaceScoped() && namespace == "" {
		namespace = metav1.NamespaceDefault // whoever applies the object names one
	}
	if name := accessor.GetGenerateName(); name != "" && accessor.GetName() == "" {
		accessor.SetName(strategy.GenerateName(name))
	}
	rest.FillObjectMetaSystemFields(accessor)
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	ctx := request.WithNamespace(context.Background(), namespace)
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", Namespace: namespace, Name: accessor.GetName(),
		APIGroup: kind.Group, APIVersion: kind.Version, Resource: resource.Resource,
	})
	return rest.BeforeCreate(strategy, ctx, object)
}

// findings are the reasons in an error, each once.
func findings(err error) []Finding {
	if err == nil {
		return nil
	}
	var list []Finding
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil && len(status.Status().Details.Causes) > 0 {
		for _, cause := range status.Status().Details.Causes {
			list = append(list, Finding{Field: known(cause.Field), Message: line(cause.Message)})
		}
	} else {
		list = []Finding{{Message: line(err.Error())}}
	}
	unique := map[Finding]bool{}
	return slices.DeleteFunc(list, func(f Finding) bool {
		defer func() { unique[f] = true }()
		return unique[f]
	})
}

// known is a field's path; the library writes <nil> for that of the whole object.
func known(field string) string {
	if field == "<nil>" {
		return ""
	}
	return field
}

// maxMessage is how much of a message is kept, in bytes: it may quote the value.
const maxMessage = 1000

func line(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage/2], "") + " … " + strings.ToValidUTF8(message[len(message)-maxMessage/2:], "")
	}
	return message
}
