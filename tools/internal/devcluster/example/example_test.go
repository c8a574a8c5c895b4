package example

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	content, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	require.NoError(t, o.UnmarshalJSON(content))
	return o
}

// newCluster has boats, which are in namespaces, and oceans, which are not. A boat
// that is applied is afloat at the third look; failures are the errors with which the
// first tries to apply one end.
func newCluster(t *testing.T, objects []runtime.Object, failures ...error) *Client {
	t.Helper()
	group := schema.GroupVersion{Group: "strake.test", Version: "v1"}
	kinds := map[schema.GroupVersionResource]string{
		group.WithResource("boats"): "BoatList", group.WithResource("oceans"): "OceanList",
		{Version: "v1", Resource: "namespaces"}: "NamespaceList",
	}
	cluster := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...)
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(group.WithKind("Boat"), meta.RESTScopeNamespace)
	mapper.Add(group.WithKind("Ocean"), meta.RESTScopeRoot)
	// The fake knows no server-side apply.
	cluster.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		patch := action.(clienttesting.PatchAction)
		if len(failures) > 0 && patch.GetResource().Resource == "boats" {
			err := failures[0]
			failures = failures[1:]
			return true, nil, err
		}
		o := &unstructured.Unstructured{}
		if err := json.Unmarshal(patch.GetPatch(), o); err != nil {
			return true, nil, err
		}
		o.SetNamespace(patch.GetNamespace())
		err := cluster.Tracker().Create(patch.GetResource(), o, patch.GetNamespace())
		if apierrors.IsAlreadyExists(err) {
			err = cluster.Tracker().Update(patch.GetResource(), o, patch.GetNamespace())
		}
		return true, o, err
	})
	looks := 0
	cluster.PrependReactor("get", "boats", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o, err := cluster.Tracker().Get(action.GetResource(), action.GetNamespace(), action.(clienttesting.GetAction).GetName())
		if err != nil {
			return true, nil, err
		}
		boat := o.(*unstructured.Unstructured).DeepCopy()
		if looks++; looks > 2 {
			boat.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Afloat", "status": "True"}}}
		}
		return true, boat, nil
	})
	return &Client{dynamic: cluster, mapper: mapper}
}

func boat(t *testing.T, within time.Duration) Example {
	t.Helper()
	o := parse(t, "{apiVersion: strake.test/v1, kind: Boat, metadata: {name: boat}}")
	afloat := Watch{
		APIVersion: "strake.test/v1", Kind: "Boat", Name: "boat", Path: `{.status.conditions[?(@.type=="Afloat")].status}`,
		Label: "afloat", Absent: "no", Value: "True", Within: within,
	}
	sunk := afloat
	sunk.Value = "no"
	return Example{Package: "yard", Name: "launch", Namespace: "sea", Steps: []Step{
		{Says: "The boat floats.", Apply: []*unstructured.Unstructured{o}, Until: afloat},
		{Says: "The boat sinks.", Delete: []*unstructured.Unstructured{o}, Until: sunk},
	}}
}

func values(seen Seen) []string {
	var list []string
	for _, v := range seen.Values {
		list = append(list, v.Value)
	}
	return list
}

func TestRunAndDelete(t *testing.T) {
	c, e := newCluster(t, nil), boat(t, time.Minute)
	r, err := c.Run(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, "sea", r.Namespace)
	require.Equal(t, []string{"no", "True"}, values(r.Steps[0]))
	require.Equal(t, "Boat boat", r.Steps[0].Object)
	require.Equal(t, []string{"no"}, values(r.Steps[1]))
	namespace, err := c.namespaces().Get(t.Context(), "sea", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, map[string]string{Label: "yard.launch"}, namespace.GetLabels())

	_, err = c.Run(t.Context(), e)
	require.NoError(t, err, "it can be repeated")
	require.NoError(t, c.Delete(t.Context(), e))
	_, err = c.namespaces().Get(t.Context(), "sea", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err))
	require.NoError(t, c.Delete(t.Context(), e), "harmless when nothing is there")
}

func TestSomebodyElsesNamespace(t *testing.T) {
	c := newCluster(t, []runtime.Object{parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: sea}}")})
	const want = "the namespace sea exists and does not belong to the example launch of yard: choose another with --target-namespace"
	_, err := c.Run(t.Context(), boat(t, time.Minute))
	require.EqualError(t, err, want)
	require.EqualError(t, c.Delete(t.Context(), boat(t, time.Minute)), want)
}

func TestRunRefuses(t *testing.T) {
	for name, test := range map[string]struct{ object, want string }{
		"a kind that is not served":  {"{apiVersion: strake.test/v1, kind: Raft, metadata: {name: x}}", "the cluster does not serve the kind Raft of strake.test/v1: install yard first"},
		"an object of the cluster's": {"{apiVersion: strake.test/v1, kind: Ocean, metadata: {name: x}}", "Ocean x of the example launch is cluster-scoped"},
	} {
		t.Run(name, func(t *testing.T) {
			c, e := newCluster(t, nil), boat(t, time.Minute)
			e.Steps[1].Apply = append(e.Steps[1].Apply, parse(t, test.object))
			_, err := c.Run(t.Context(), e)
			require.ErrorContains(t, err, test.want)
			_, err = c.namespaces().Get(t.Context(), "sea", metav1.GetOptions{})
			require.True(t, apierrors.IsNotFound(err), "nothing was done")
		})
	}
}

func TestRunWaitsForTheAPIServerAlone(t *testing.T) {
	starting := apierrors.NewInternalError(errForTest("failed calling webhook"))
	_, err := newCluster(t, nil, starting).Run(t.Context(), boat(t, time.Minute))
	require.NoError(t, err)

	invalid := apierrors.NewBadRequest("unknown field")
	_, err = newCluster(t, nil, invalid).Run(t.Context(), boat(t, time.Minute))
	require.ErrorContains(t, err, "running the example launch of yard")
	require.ErrorContains(t, err, "applying Boat boat: unknown field")
}

func TestRunEndsWhenTheTimeIsOver(t *testing.T) {
	_, err := newCluster(t, nil).Run(t.Context(), boat(t, 10*time.Millisecond))
	require.ErrorContains(t, err, "Boat boat has afloat no, not True (not done within 10ms)")
}

type errForTest string

func (e errForTest) Error() string { return string(e) }
