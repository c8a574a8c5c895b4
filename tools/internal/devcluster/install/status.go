package install

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strake-dev/strake/tools/internal/progress"
)

// Status is a PackageInstall as the cluster has it.
type Status struct {
	Namespace, Name string
	// Package is the package's full name.
	Package string
	// Version is the one that kapp-controller deploys, by the App's annotation: the
	// status of a PackageInstall has a version before anything of it is deployed.
	// It is empty where there is no App yet.
	Version string
	// Images are the digests of the images that the workloads of the install run.
	Images []string
	// Bundle is the reference of the bundle that is deployed, and Offered are the
	// package's versions that the cluster offers in the namespace.
	Bundle  string
	Offered []string
	// Message says why the install is not ready, in full; empty for a ready one.
	Message string
}

func apps() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "kappctrl.k14s.io", Version: "v1alpha1", Resource: "apps"}
}

func packages() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packages"}
}

// workloads are the kinds whose pods run images.
func workloads() []schema.GroupVersionResource {
	var list []schema.GroupVersionResource
	for _, plural := range []string{"deployments", "statefulsets", "daemonsets"} {
		list = append(list, schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: plural})
	}
	return list
}

// Statuses are the PackageInstalls of a namespace, or of all for an empty one, sorted
// by namespace and name.
func (c *Client) Statuses(ctx context.Context, namespace string) ([]Status, error) {
	list, err := c.dynamic.Resource(installs()).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("the cluster does not serve %s: install kapp-controller, or name another cluster with --context", packaging)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the PackageInstalls: %w", err)
	}
	var found []Status
	offered := offers{}
	for i := range list.Items {
		s, err := c.status(ctx, &list.Items[i])
		if err != nil {
			return nil, err
		}
		s.Offered = offered.of(ctx, c, s)
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

func (c *Client) status(ctx context.Context, o *unstructured.Unstructured) (s Status, err error) {
	s.Namespace, s.Name = o.GetNamespace(), o.GetName()
	s.Package, _, _ = unstructured.NestedString(o.Object, "spec", "packageRef", "refName")
	app, err := c.dynamic.Resource(apps()).Namespace(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		app, err = nil, nil
	}
	if err != nil {
		return s, fmt.Errorf("asking for App %s/%s: %w", s.Namespace, s.Name, err)
	}
	s.Message = whyNot(o, app)
	if app == nil {
		return s, nil
	}
	s.Version = app.GetAnnotations()["packaging.carvel.dev/package-version"]
	s.Bundle = bundleOf(app)
	s.Images, err = c.images(ctx, s.Namespace, s.Name)
	return s, err
}

// bundleOf is the reference of the bundle that an App fetches.
func bundleOf(app *unstructured.Unstructured) string {
	steps, _, _ := unstructured.NestedSlice(app.Object, "spec", "fetch")
	for _, step := range steps {
		fields, _ := step.(map[string]any)
		if image, found, _ := unstructured.NestedString(fields, "imgpkgBundle", "image"); found {
			return image
		}
	}
	return ""
}

// images are the digests in the pod templates of an install's workloads, each once.
func (c *Client) images(ctx context.Context, namespace, name string) ([]string, error) {
	label, err := c.appLabel(ctx, namespace, name)
	if err != nil || label == "" {
		return nil, err
	}
	var digests []string
	for _, resource := range workloads() {
		list, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: label})
		if apierrors.IsForbidden(err) {
			return nil, nil // whoever may not look has the App's annotation
		}
		if err != nil {
			return nil, fmt.Errorf("listing the %s of PackageInstall %s/%s: %w", resource.Resource, namespace, name, err)
		}
		for i := range list.Items {
			digests = append(digests, podDigests(&list.Items[i])...)
		}
	}
	slices.Sort(digests)
	return slices.Compact(digests), nil
}

func podDigests(workload *unstructured.Unstructured) []string {
	var digests []string
	for _, field := range []string{"initContainers", "containers"} {
		containers, _, _ := unstructured.NestedSlice(workload.Object, "spec", "template", "spec", field)
		for _, container := range containers {
			fields, _ := container.(map[string]any)
			image, _ := fields["image"].(string)
			if _, digest, found := strings.Cut(image, "@"); found {
				digests = append(digests, digest)
			}
		}
	}
	return digests
}

// offers are the versions of each package that namespaces offer, asked for once.
type offers map[string]map[string][]string

// of returns the versions for one install, and none where the API of packages, which
// kapp-controller serves itself, does not answer: a status must show that, too.
func (o offers) of(ctx context.Context, c *Client, s Status) []string {
	if there, known := o[s.Namespace]; known {
		return there[s.Package]
	}
	o[s.Namespace] = map[string][]string{}
	list, err := c.dynamic.Resource(packages()).Namespace(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		progress.From(ctx).Step("newer versions are not known: listing the Packages of the namespace %s: %v", s.Namespace, err)
		return nil
	}
	for i := range list.Items {
		name, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "refName")
		version, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "version")
		o[s.Namespace][name] = append(o[s.Namespace][name], version)
	}
	return o[s.Namespace][s.Package]
}

// whyNot says why an install is not ready, in kapp-controller's and its tools' own
// words. A PackageInstall repeats what its App said before it changed the App, so
// the App is asked first.
func whyNot(o, app *unstructured.Unstructured) string {
	if o.GetDeletionTimestamp() != nil {
		return withoutSubject(o, deleting(o))
	}
	paused, _, _ := unstructured.NestedBool(o.Object, "spec", "paused")
	if paused {
		return "paused: spec.paused is set"
	}
	if app != nil {
		if err := reconciled(app, app.GetGeneration()); err != nil {
			return withoutSubject(app, err)
		}
	}
	if err := reconciled(o, o.GetGeneration()); err != nil {
		return withoutSubject(o, err)
	}
	return ""
}

// withoutSubject is an error about an object without the object's name.
func withoutSubject(o *unstructured.Unstructured, err error) string {
	text := strings.TrimPrefix(err.Error(), o.GetKind()+" "+o.GetName())
	text = strings.TrimPrefix(strings.TrimLeft(text, ": "), errFailed.Error()+": ")
	return cmp.Or(strings.TrimSpace(text), "not reconciled yet")
}

// Inputs are the PackageInstall and the Secrets with its values and overlays.
func (c *Client) Inputs(ctx context.Context, namespace, name string) ([]*unstructured.Unstructured, error) {
	o, err := c.dynamic.Resource(installs()).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("asking for PackageInstall %s/%s: %w", namespace, name, err)
	}
	found := []*unstructured.Unstructured{o}
	for _, secret := range secretNames(o) {
		s, err := c.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(namespace).Get(ctx, secret, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("asking for the Secret %s of PackageInstall %s/%s: %w", secret, namespace, name, err)
		}
		found = append(found, s)
	}
	return found, nil
}

// secretNames are the Secrets that a PackageInstall names, each once.
func secretNames(o *unstructured.Unstructured) []string {
	var names []string
	values, _, _ := unstructured.NestedSlice(o.Object, "spec", "values")
	for _, value := range values {
		fields, _ := value.(map[string]any)
		if name, found, _ := unstructured.NestedString(fields, "secretRef", "name"); found {
			names = append(names, name)
		}
	}
	for key, name := range o.GetAnnotations() {
		if strings.HasPrefix(key, "ext.packaging.carvel.dev/ytt-paths-from-secret-name") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
