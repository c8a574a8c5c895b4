package repository_test

import (
	"bytes"
	"context"
	"testing"

	ctlconf "carvel.dev/kapp/pkg/kapp/config"
	ctldiff "carvel.dev/kapp/pkg/kapp/diff"
	ctlres "carvel.dev/kapp/pkg/kapp/resources"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// Namespaces as they are on a cluster before the package is installed, or installed
// again, and whether kapp leaves them as they are.
var existingNamespaces = map[string]struct {
	metadata string
	left     bool
}{
	"of others, by kubectl create": {`
  creationTimestamp: "2026-01-01T00:00:00Z"
  managedFields:
  - {manager: kubectl-create, operation: Update, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:labels": {}}}}`, true},
	"of the permissions": {`
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations: {strake.dev/namespace-of: boat}
  managedFields:
  - {manager: kubectl-client-side-apply, operation: Update, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:annotations": {"f:strake.dev/namespace-of": {}}}}}`, false},
	"of others, and then the permissions' by the same manager": {`
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations: {strake.dev/namespace-of: boat}
  managedFields:
  - {manager: kubectl-client-side-apply, operation: Update, time: "2026-01-01T00:01:00Z", fieldsV1: {"f:metadata": {"f:annotations": {"f:strake.dev/namespace-of": {}}}}}`, true},
	"of others, and then the permissions' by another manager in the same second": {`
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations: {strake.dev/namespace-of: boat}
  managedFields:
  - {manager: kubectl-create, operation: Update, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:labels": {}}}}
  - {manager: strake, operation: Apply, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:annotations": {"f:strake.dev/namespace-of": {}}}}}`, true},
	"without a record of who wrote it": {`
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations: {strake.dev/namespace-of: boat}`, true},
	"created by kapp": {`
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {kapp.k14s.io/app: "1"}
  managedFields:
  - {manager: kapp, operation: Update, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:labels": {}}}}`, false},
	"kept with CRDs, and then no longer": {`
  annotations: {kapp.k14s.io/delete-strategy: orphan}
  labels: {kapp.k14s.io/orphaned: ""}`, false},
}

// TestNamespacesThatExistedAreLeft: kapp's own library compares what each package
// renders with namespaces of a cluster.
func TestNamespacesThatExistedAreLeft(t *testing.T) {
	judged := 0
	for _, p := range checkout(t).Packages {
		objects := rendered(t, p.Versions[len(p.Versions)-1].Package.Name)
		mods, namespace := rebasing(t, objects)
		if namespace == nil {
			continue
		}
		judged++
		for name, tc := range existingNamespaces {
			t.Run(p.Name+"/"+name, func(t *testing.T) {
				existing := resources(t, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: "+namespace.Name()+tc.metadata)[0]
				result, err := ctldiff.NewRebasedResource(existing, namespace, mods).Resource()
				require.NoError(t, err)
				annotations := result.Annotations()
				require.Equal(t, namespace.Annotations()["kapp.k14s.io/delete-strategy"], annotations["kapp.k14s.io/delete-strategy"])
				_, ignored := annotations["kapp.k14s.io/noop"]
				require.Equal(t, tc.left, ignored)
				if made, found := existing.Annotations()["strake.dev/namespace-of"]; found {
					require.Equal(t, made, annotations["strake.dev/namespace-of"], "else applying the permissions again would be a change")
				}
				require.Equal(t, namespace.Labels(), result.Labels())
			})
		}
	}
	require.GreaterOrEqual(t, judged, 10, "packages that create a namespace")
}

// rendered are the objects of the newest version of a package with its default values.
func rendered(t *testing.T, name string) []manifest.Object {
	t.Helper()
	c := checkout(t)
	for _, p := range c.Packages {
		if p.Name != name {
			continue
		}
		b, err := repository.BuildVersion(context.Background(), c, p.Versions[len(p.Versions)-1], repository.Options{})
		require.NoError(t, err)
		objects, err := bundle.Render(context.Background(), b, nil, bundle.RenderOptions{})
		require.NoError(t, err)
		return objects
	}
	t.Fatalf("no package %s", name)
	return nil
}

// rebasing are the rules by which kapp compares a package's objects with those of a
// cluster, and the Namespace among them, or nil.
func rebasing(t *testing.T, objects []manifest.Object) ([]ctlres.ResourceModWithMultiple, ctlres.Resource) {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, manifest.Encode(&text, objects))
	rest, config, err := ctlconf.NewConfFromResources(resources(t, text.String()))
	require.NoError(t, err)
	for _, r := range rest {
		if r.Kind() == "Namespace" {
			return config.RebaseMods(), r
		}
	}
	return nil, nil
}

func resources(t *testing.T, text string) []ctlres.Resource {
	t.Helper()
	list, err := ctlres.NewFileResource(ctlres.NewBytesSource([]byte(text))).Resources()
	require.NoError(t, err)
	return list
}
