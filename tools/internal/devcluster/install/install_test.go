package install

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carvel.dev/vendir/pkg/vendir/versions"
	"carvel.dev/vendir/pkg/vendir/versions/v1alpha1"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	content, err := yaml.YAMLToJSON([]byte(text)) // numbers as the cluster's client reads them
	require.NoError(t, err)
	require.NoError(t, o.UnmarshalJSON(content))
	return o
}

func TestReconciled(t *testing.T) {
	const head = "kind: PackageInstall\nmetadata: {name: x}\nstatus:\n  observedGeneration: 2\n"
	tests := map[string]struct {
		status     string
		generation int64
		want       string // empty: reconciled
		final      bool
	}{
		"done":      {"  conditions: [{type: ReconcileSucceeded, status: 'True'}]", 2, "", true},
		"old news":  {"  conditions: [{type: ReconcileSucceeded, status: 'True'}]", 3, "not seen it yet", false},
		"under way": {"  conditions: [{type: Reconciling, status: 'True'}]\n  friendlyDescription: Reconciling", 2, "Reconciling", false},
		"failed": {"  conditions: [{type: ReconcileFailed, status: 'True'}]\n  friendlyDescription: short\n  usefulErrorMessage: 'ytt: unknown key'", 2,
			"ytt: unknown key", true},
		"failed without words": {"  conditions: [{type: ReconcileFailed, status: 'True'}]\n  friendlyDescription: short", 2, "short", true},
		"a failure of before":  {"  conditions: [{type: ReconcileFailed, status: 'False'}]", 2, "PackageInstall x", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := reconciled(parse(t, head+test.status), test.generation)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			require.Equal(t, test.final, errors.Is(err, errFailed))
		})
	}
}

func TestDeleting(t *testing.T) {
	o := parse(t, "kind: PackageInstall\nmetadata: {name: x}\nstatus: {conditions: [{type: DeleteFailed, status: 'True'}], usefulErrorMessage: stuck}")
	require.ErrorIs(t, deleting(o), errFailed)
	require.ErrorContains(t, deleting(o), "stuck")
	require.NotErrorIs(t, deleting(parse(t, "kind: X")), errFailed)
	for _, passes := range []string{
		"kapp: Error: Expected all resources to be gone, but found: pod/a",
		`Unblocking for deploy: Updating app: Operation cannot be fulfilled on apps.kappctrl.k14s.io "x": the object has been modified; please apply your changes to the latest version and try again`,
	} {
		o = parse(t, "kind: App\nmetadata: {name: x}\nstatus: {conditions: [{type: DeleteFailed, status: 'True'}], usefulErrorMessage: '"+passes+"'}")
		require.NotErrorIs(t, deleting(o), errFailed, "kapp-controller looks again")
		require.ErrorContains(t, deleting(o), passes)
	}
}

func TestPoll(t *testing.T) {
	require.ErrorIs(t, poll(t.Context(), func(context.Context) error { return errFailed }), errFailed, "a failure is final")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("too slow"))
	defer cancel()
	err := poll(ctx, func(context.Context) error { return errors.New("not yet") })
	require.EqualError(t, err, "not yet (too slow)")
}

func TestObjects(t *testing.T) {
	p := Package{Name: "keda", Namespace: "strake", Package: "keda.strake.internal", Version: "2.21.0"}
	plain := installObject(p)
	_, found, err := unstructured.NestedSlice(plain.Object, "spec", "values")
	require.NoError(t, err)
	require.False(t, found, "a package without values names no Secret of them")
	require.Empty(t, plain.GetAnnotations())

	p.Values, p.Overlays = []byte("a: 1\n"), map[string][]byte{"x.yml": []byte("#@ x")}
	full := installObject(p)
	values, _, err := unstructured.NestedSlice(full.Object, "spec", "values")
	require.NoError(t, err)
	require.Equal(t, []any{map[string]any{"secretRef": map[string]any{"name": "keda-values"}}}, values)
	require.Equal(t, "keda-overlays", full.GetAnnotations()["ext.packaging.carvel.dev/ytt-paths-from-secret-name"])
	require.Equal(t, map[string]any{"values.yml": "a: 1\n"}, valuesSecret(p).Object["stringData"])

	used, _, err := unstructured.NestedString(full.Object, "spec", "serviceAccountName")
	require.NoError(t, err)
	require.Equal(t, "keda-installer", used)

	image, _, err := unstructured.NestedString(repositoryObject(Repository{Name: "r", Namespace: "n", Image: "h/r@sha256:1"}).Object,
		"spec", "fetch", "imgpkgBundle", "image")
	require.NoError(t, err)
	require.Equal(t, "h/r@sha256:1", image)
}

// TestApplyOnceWaitsForTheApp answers as kapp-controller does right after a
// change: the PackageInstall repeats the success of the App that it has just
// changed.
// TestRevisionIsTaken asks kapp-controller's own selection for a version that is
// offered with and without build metadata, which counts there.
func TestRevisionIsTaken(t *testing.T) {
	offered := []string{"1.0.0", "1.0.0+strake.2", "1.0.0+strake.3", "1.1.0"}
	for _, version := range offered {
		o := installObject(Package{Name: "boat", Namespace: "harbour", Package: "boat.strake.test", Version: version})
		constraints, _, err := unstructured.NestedString(o.Object, "spec", "packageRef", "versionSelection", "constraints")
		require.NoError(t, err)
		taken, err := versions.HighestConstrainedVersion(offered, v1alpha1.VersionSelection{Semver: &v1alpha1.VersionSelectionSemver{Constraints: constraints}})
		require.NoError(t, err)
		require.Equal(t, version, taken)
	}
}

func TestApplyOnceWaitsForTheApp(t *testing.T) {
	const done = `"conditions":[{"type":"ReconcileSucceeded","status":"True"}]`
	asked := 0
	c := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/apps/") {
			fmt.Fprint(w, `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstall","metadata":{"name":"x","namespace":"n","generation":2},"status":{"observedGeneration":2,`+done+`}}`)
			return
		}
		asked++
		fmt.Fprintf(w, `{"apiVersion":"kappctrl.k14s.io/v1alpha1","kind":"App","metadata":{"name":"x","namespace":"n","generation":5},"status":{"observedGeneration":%d,%s}}`, 3+asked, done)
	})
	install := object(packaging, "PackageInstall", "n", "x", nil)
	require.NoError(t, c.applyOnce(t.Context(), install, object("kappctrl.k14s.io/v1alpha1", "App", "n", "x", nil)))
	require.Equal(t, 2, asked, "the App had seen its generation only at the second look")
}

// TestWaitDeletion answers as a cluster on which somebody else is deleting the
// object: it is there at the first two looks.
func TestWaitDeletion(t *testing.T) {
	asked := 0
	c := answers(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 2 {
			notFound(w)
			return
		}
		fmt.Fprint(w, `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstall","metadata":{"name":"x","namespace":"n","deletionTimestamp":"2026-01-01T00:00:00Z"}}`)
	})
	require.NoError(t, c.waitDeletion(t.Context(), object(packaging, "PackageInstall", "n", "x", nil)))
	require.Equal(t, 3, asked)
}

func TestApplyOnceEndsWhenTheObjectIsDeleted(t *testing.T) {
	c := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			notFound(w)
			return
		}
		fmt.Fprint(w, `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstall","metadata":{"name":"x","namespace":"n","generation":1}}`)
	})
	install := object(packaging, "PackageInstall", "n", "x", nil)
	err := c.applyOnce(t.Context(), install, install)
	require.ErrorIs(t, err, errFailed)
	require.ErrorContains(t, err, "PackageInstall x: reconciling failed: somebody deleted it meanwhile")
}

// answers makes a client of a cluster that answers so.
func answers(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		handle(w, r)
	}))
	t.Cleanup(cluster.Close)
	c, err := New(&rest.Config{Host: cluster.URL})
	require.NoError(t, err)
	return c
}

func notFound(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
}

func TestPassing(t *testing.T) {
	require.True(t, passing(errors.New("PackageRepository strake: reconciling failed: kapp: Error: unable to retrieve the complete list of server APIs: stale GroupVersion discovery")))
	require.False(t, passing(errors.New("PackageInstall keda: reconciling failed: ytt: Error: unknown key")))
}

func TestWithoutCluster(t *testing.T) {
	c, err := New(&rest.Config{Host: "127.0.0.1:1"})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = c.Repository(ctx, Repository{Name: "r", Namespace: "n"})
	require.ErrorContains(t, err, "is kapp-controller installed?")
	require.Error(t, c.Package(t.Context(), Package{Name: "x", Namespace: "n"}))
	require.Error(t, c.RemovePackage(t.Context(), Package{Name: "x", Namespace: "n"}))
}

func TestStale(t *testing.T) {
	p := Package{Name: "x", Namespace: "n", Package: "x.y", Version: "1.0.0", Values: []byte("a: 1\n")}
	marked := func(p Package) *unstructured.Unstructured {
		o := installObject(p)
		require.NoError(t, mark(o, valuesSecret(p), overlaysSecret(p)))
		return o
	}
	again := marked(p)
	require.Equal(t, marked(p), again)
	require.False(t, stale(marked(p), marked(p)), "an object under way is only waited for")

	other := p
	other.Values = []byte("a: 2\n")
	require.True(t, stale(marked(p), marked(other)), "values alone make another reconciliation")

	failed := marked(p)
	conditions := []any{map[string]any{"type": "ReconcileFailed", "status": "True"}}
	require.NoError(t, unstructured.SetNestedSlice(failed.Object, conditions, "status", "conditions"))
	require.True(t, stale(failed, marked(p)), "a failure is tried again")
	require.True(t, stale(installObject(p), marked(p)), "an object of somebody else")
}

func TestIsPaused(t *testing.T) {
	for description, want := range map[string]bool{"Paused": true, "Canceled/paused": true, "Reconciling": false, "": false} {
		require.Equal(t, want, isPaused(parse(t, "kind: X\nstatus: {friendlyDescription: '"+description+"'}")), description)
	}
}
