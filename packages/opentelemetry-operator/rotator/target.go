package main

import (
	"context"
	"encoding/base64"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// kind is one kind of object that names a CA.
type kind struct {
	flag, article string
	resource      schema.GroupVersionResource
	// set writes the CA and tells whether anything changed.
	set func(object map[string]any, ca string) (bool, error)
}

var kinds = []kind{
	{"validating-webhook", "a ValidatingWebhookConfiguration", admission("validatingwebhookconfigurations"), setWebhooks},
	{"mutating-webhook", "a MutatingWebhookConfiguration", admission("mutatingwebhookconfigurations"), setWebhooks},
	{"crd", "a CustomResourceDefinition with a conversion webhook",
		schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
		setAt("spec", "conversion", "webhook", "clientConfig", "caBundle")},
	{"api-service", "an APIService",
		schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"},
		setAt("spec", "caBundle")},
}

func admission(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: resource}
}

// Target is an object that is told the CA.
type Target struct {
	kind kind
	name string
}

func (t Target) String() string { return t.kind.resource.Resource + "/" + t.name }

// tell puts the CA into the object on the cluster, if it is another there. The
// update names the version that was read, so that a change between is not undone.
func (t Target) tell(ctx context.Context, client dynamic.Interface, ca []byte) (bool, error) {
	objects := client.Resource(t.kind.resource)
	object, err := objects.Get(ctx, t.name, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", t, err)
	}
	changed, err := t.kind.set(object.Object, base64.StdEncoding.EncodeToString(ca))
	if err != nil || !changed {
		return false, err
	}
	if _, err := objects.Update(ctx, object, metav1.UpdateOptions{FieldManager: "rotator"}); err != nil {
		return false, fmt.Errorf("telling %s the CA: %w", t, err)
	}
	return true, nil
}

func setWebhooks(object map[string]any, ca string) (bool, error) {
	webhooks, _, err := unstructured.NestedSlice(object, "webhooks")
	if err != nil {
		return false, err
	}
	changed := false
	for _, w := range webhooks {
		webhook, ok := w.(map[string]any)
		if !ok {
			return false, fmt.Errorf("a webhook that is a %T", w)
		}
		one, err := setAt("clientConfig", "caBundle")(webhook, ca)
		if err != nil {
			return false, err
		}
		changed = changed || one
	}
	return changed, unstructured.SetNestedSlice(object, webhooks, "webhooks")
}

// setAt sets one field, whose parent must be there.
func setAt(path ...string) func(map[string]any, string) (bool, error) {
	return func(object map[string]any, ca string) (bool, error) {
		if _, found, err := unstructured.NestedMap(object, path[:len(path)-1]...); err != nil || !found {
			return false, fmt.Errorf("no %v for a CA: %w", path, err)
		}
		if old, _, _ := unstructured.NestedString(object, path...); old == ca {
			return false, nil
		}
		return true, unstructured.SetNestedField(object, ca, path...)
	}
}
