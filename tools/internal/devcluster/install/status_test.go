package install

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/strake-dev/strake/tools/internal/devcluster/fakeapi"
)

const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// statusObjects are an install that is ready, one whose App fails while the
// PackageInstall still says what was before, one that is paused and one without an App.
const statusObjects = `
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: boat, namespace: harbour, generation: 1}
spec: {packageRef: {refName: boat.strake.test}, values: [{secretRef: {name: boat-values}}]}
status: {observedGeneration: 1, version: 9.9.9, conditions: [{type: ReconcileSucceeded, status: "True"}]}
---
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: boat, namespace: harbour, generation: 2, annotations: {packaging.carvel.dev/package-version: 1.2.0}}
spec: {fetch: [{imgpkgBundle: {image: "registry.test/x@` + digest + `"}}]}
status: {observedGeneration: 2, conditions: [{type: ReconcileSucceeded, status: "True"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: boat.app, namespace: harbour}
data: {spec: '{"labelKey":"kapp.k14s.io/app","labelValue":"7"}'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hull, namespace: elsewhere, labels: {kapp.k14s.io/app: "7"}}
spec: {template: {spec: {initContainers: [{image: "busybox:1"}], containers: [{image: "registry.test/x@` + digest + `"}, {image: "registry.test/x@` + digest + `"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: elsewhere, labels: {kapp.k14s.io/app: "8"}}
spec: {template: {spec: {containers: [{image: "registry.test/x@sha256:bbbb"}]}}}
---
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: boat.strake.test.1.3.0, namespace: harbour}
spec: {refName: boat.strake.test, version: 1.3.0}
---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: mast, namespace: harbour, generation: 1}
spec: {packageRef: {refName: mast.strake.test}}
status: {observedGeneration: 1, version: 2.0.0, conditions: [{type: ReconcileSucceeded, status: "True"}]}
---
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: mast, namespace: harbour, generation: 1, annotations: {packaging.carvel.dev/package-version: 2.0.0}}
status: {observedGeneration: 1, conditions: [{type: ReconcileFailed, status: "True"}], usefulErrorMessage: "kapp: Error: too short"}
---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: sail, namespace: harbour, generation: 1}
spec: {packageRef: {refName: sail.strake.test}, paused: true}
---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: anchor, namespace: far, generation: 1}
spec: {packageRef: {refName: anchor.strake.test}}
---
apiVersion: v1
kind: Secret
metadata: {name: boat-values, namespace: harbour}
data: {values.yml: YTogMQo=}`

func statusClient(t *testing.T, objects string) *Client {
	t.Helper()
	_, kubeconfig := fakeapi.New(t, objects)
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	c, err := New(config)
	require.NoError(t, err)
	return c
}

func TestStatuses(t *testing.T) {
	c := statusClient(t, statusObjects)
	found, err := c.Statuses(t.Context(), "harbour")
	require.NoError(t, err)
	require.Equal(t, []Status{
		{Namespace: "harbour", Name: "boat", Package: "boat.strake.test", Version: "1.2.0",
			Images: []string{digest}, Bundle: "registry.test/x@" + digest, Offered: []string{"1.3.0"}},
		{Namespace: "harbour", Name: "mast", Package: "mast.strake.test", Version: "2.0.0", Message: "kapp: Error: too short"},
		{Namespace: "harbour", Name: "sail", Package: "sail.strake.test", Message: "paused: spec.paused is set"},
	}, found)

	all, err := c.Statuses(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, all, 4)
	require.Equal(t, "far", all[0].Namespace)
	require.Equal(t, "kapp-controller has not seen it yet", all[0].Message)

	inputs, err := c.Inputs(t.Context(), "harbour", "boat")
	require.NoError(t, err)
	require.Len(t, inputs, 2)
	require.Equal(t, "boat-values", inputs[1].GetName())
}

func TestStatusesWithoutKappController(t *testing.T) {
	c := statusClient(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}")
	_, err := c.Statuses(t.Context(), "")
	require.ErrorContains(t, err, "does not serve packaging.carvel.dev/v1alpha1: install kapp-controller")
}
