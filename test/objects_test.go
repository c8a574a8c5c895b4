package test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// identify names an object so that a person finds it.
func identify(object *unstructured.Unstructured) string {
	gvk := object.GroupVersionKind()
	id := strings.TrimSuffix(gvk.Kind+"."+gvk.Group, ".") + " " + object.GetName()
	if object.GetNamespace() != "" {
		id += " in " + object.GetNamespace()
	}
	return id
}

// owned maps every object that kapp itself deployed for an install to its uid
// and generation, which only a change of its desired state moves.
func (c *cluster) owned(t *testing.T, name string) map[string]string {
	t.Helper()
	return c.ownedIn(t, installNamespace, name)
}

// ownedIn is owned for an install in another namespace.
func (c *cluster) ownedIn(t *testing.T, namespace, name string) map[string]string {
	t.Helper()
	found := map[string]string{}
	c.eachObject(t, c.appLabel(t, namespace, name), func(object *unstructured.Unstructured) {
		if object.GetAnnotations()["kapp.k14s.io/identity"] == "" {
			return // a controller copied the label to what it made
		}
		found[identify(object)] = fmt.Sprintf("%s generation %d", object.GetUID(), object.GetGeneration())
	})
	return found
}

// snapshot are all objects of the cluster, but those that another object
// owns: these go when it goes.
func (c *cluster) snapshot(t *testing.T) map[string]bool {
	t.Helper()
	owners := map[string][]metav1.OwnerReference{}
	uids := map[types.UID]bool{}
	c.eachObject(t, "", func(object *unstructured.Unstructured) {
		if isRecordOfWhatStays(object) || isKubeletsRequest(object) {
			return
		}
		owners[identify(object)] = object.GetOwnerReferences()
		uids[object.GetUID()] = true
	})
	found := map[string]bool{}
	for id, references := range owners {
		if !slices.ContainsFunc(references, func(o metav1.OwnerReference) bool { return uids[o.UID] }) {
			found[id] = true
		}
	}
	return found
}

// isRecordOfWhatStays is true of kapp's notes of a change to what `strake up` puts
// on a cluster before packages. On a busy machine it waits for that again, and notes
// it, while a package is there; installs of packages keep no such notes.
func isRecordOfWhatStays(object *unstructured.Unstructured) bool {
	_, isNote := object.GetLabels()["kapp.k14s.io/is-app-change"]
	return isNote && slices.Contains([]string{"kube-system", "kapp-controller-packaging-global"}, object.GetNamespace())
}

// isKubeletsRequest is true of a certificate that a kubelet asked for when the cluster
// was made: Kubernetes forgets it one to two hours later (csrcleaner in k8s.io/kubernetes).
func isKubeletsRequest(object *unstructured.Unstructured) bool {
	if object.GroupVersionKind().GroupKind() != (schema.GroupKind{Group: certificatesv1.GroupName, Kind: "CertificateSigningRequest"}) {
		return false
	}
	signer, _, _ := unstructured.NestedString(object.Object, "spec", "signerName")
	return signer == certificatesv1.KubeAPIServerClientKubeletSignerName || signer == certificatesv1.KubeletServingSignerName
}

func TestKubeletsRequest(t *testing.T) {
	const request = "certificates.k8s.io/v1 CertificateSigningRequest "
	for what, want := range map[string]bool{
		request + certificatesv1.KubeAPIServerClientKubeletSignerName: true,
		request + certificatesv1.KubeletServingSignerName:             true,
		request + certificatesv1.KubeAPIServerClientSignerName:        false,
		"v1 Secret " + certificatesv1.KubeletServingSignerName:        false,
	} {
		fields := strings.Fields(what)
		require.Equal(t, want, isKubeletsRequest(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": fields[0], "kind": fields[1], "spec": map[string]any{"signerName": fields[2]},
		}}), what)
	}
}

// requireNothingLeft compares all objects of all kinds with those that were
// there before: CRDs, webhooks, APIServices, leases, Secrets and namespaces are
// objects as all others. Nothing may be left, and nothing may have gone.
func (c *cluster) requireNothingLeft(t *testing.T, before map[string]bool) {
	t.Helper()
	eventually(t, 90*time.Second, "the cluster is as it was before the install", func() (bool, string) {
		differences := c.differencesSince(t, before)
		return len(differences) == 0, "\n  " + strings.Join(differences, "\n  ")
	})
}

func (c *cluster) differencesSince(t *testing.T, before map[string]bool) []string {
	t.Helper()
	after := c.snapshot(t)
	var differences []string
	for id := range after {
		if !before[id] {
			differences = append(differences, "left: "+id)
		}
	}
	for id := range before {
		if !after[id] {
			differences = append(differences, "gone: "+id)
		}
	}
	sort.Strings(differences)
	return differences
}

// TestNothingLeftSeesWhatIsLeft keeps requireNothingLeft from being blind.
func TestNothingLeftSeesWhatIsLeft(t *testing.T) {
	c := onCluster(t)
	namespace := c.namespace(t, "left")
	before := c.snapshot(t)
	c.apply(t, `apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: forgotten, namespace: `+namespace+`}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: forgottens.strake.test}
spec:
  group: strake.test
  scope: Cluster
  names: {kind: Forgotten, plural: forgottens}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]`)
	t.Cleanup(func() { c.delete(t, crdKind, "", "forgottens.strake.test") })
	require.Subset(t, c.differencesSince(t, before), []string{
		"left: Lease.coordination.k8s.io forgotten in " + namespace,
		"left: CustomResourceDefinition.apiextensions.k8s.io forgottens.strake.test",
	})
	before["Secret taken in "+namespace] = true
	require.Contains(t, c.differencesSince(t, before), "gone: Secret taken in "+namespace)
}

// eachObject visits every object of every kind that can be listed, or only
// those that a label selector chooses. Events come and go by themselves and
// are left out.
func (c *cluster) eachObject(t *testing.T, selector string, visit func(*unstructured.Unstructured)) {
	t.Helper()
	// An aggregated API that is just going away makes discovery partial.
	lists, err := c.typed.Discovery().ServerPreferredResources()
	if len(lists) == 0 {
		require.NoError(t, err)
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		require.NoError(t, err)
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || resource.Name == "events" {
				continue
			}
			objects, err := c.dynamic.Resource(gv.WithResource(resource.Name)).List(lasting(t), metav1.ListOptions{LabelSelector: selector})
			if err != nil {
				continue // the kind went away between the two calls
			}
			for i := range objects.Items {
				visit(&objects.Items[i])
			}
		}
	}
}

func (c *cluster) namespaces(t *testing.T) []string {
	t.Helper()
	list, err := c.typed.CoreV1().Namespaces().List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	var names []string
	for _, namespace := range list.Items {
		names = append(names, namespace.Name)
	}
	return names
}
