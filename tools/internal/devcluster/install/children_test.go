package install

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWaitChildren answers as a cluster on which kapp-controller has seen the
// change of a package's install, and has not given it to the App before the third look.
func TestWaitChildren(t *testing.T) {
	const done = `"conditions":[{"type":"ReconcileSucceeded","status":"True"}]`
	const install = `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstall","metadata":{"name":"boat","namespace":"port","generation":2},"status":{"observedGeneration":2,` + done + `}}`
	looks, selector := 0, ""
	c := answers(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/configmaps/platform.app"):
			fmt.Fprint(w, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"platform.app","namespace":"packages"},"data":{"spec":"{\"labelKey\":\"kapp.k14s.io/app\",\"labelValue\":\"42\"}"}}`)
		case strings.HasSuffix(r.URL.Path, "/packageinstalls"):
			selector = r.URL.Query().Get("labelSelector")
			fmt.Fprint(w, `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstallList","items":[`+install+`]}`)
		case strings.HasSuffix(r.URL.Path, "/apps/boat"):
			looks++
			fmt.Fprintf(w, `{"apiVersion":"kappctrl.k14s.io/v1alpha1","kind":"App","metadata":{"name":"boat","namespace":"port","generation":4},"status":{"observedGeneration":%d,%s}}`, 1+looks, done)
		default:
			fmt.Fprint(w, install)
		}
	})
	require.NoError(t, c.waitChildren(t.Context(), "packages", "platform"))
	require.Equal(t, "kapp.k14s.io/app=42", selector)
	require.Equal(t, 3, looks)
}

func TestWaitChildrenTellsWhichFailed(t *testing.T) {
	c := answers(t, func(w http.ResponseWriter, r *http.Request) {
		install := `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstall","metadata":{"name":"boat","namespace":"port","generation":1},"status":{"observedGeneration":1,"usefulErrorMessage":"it leaks","conditions":[{"type":"ReconcileFailed","status":"True"}]}}`
		switch {
		case strings.Contains(r.URL.Path, "/configmaps/"):
			fmt.Fprint(w, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"platform.app"},"data":{"spec":"{\"labelKey\":\"a\",\"labelValue\":\"b\"}"}}`)
		case strings.HasSuffix(r.URL.Path, "/packageinstalls"):
			fmt.Fprint(w, `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstallList","items":[`+install+`]}`)
		default:
			fmt.Fprint(w, install)
		}
	})
	err := c.waitChildren(t.Context(), "packages", "platform")
	require.ErrorIs(t, err, errFailed)
	require.ErrorContains(t, err, "PackageInstall boat: reconciling failed: it leaks")
}

func TestWaitChildrenBeforeTheFirstDeploy(t *testing.T) {
	c := answers(t, func(w http.ResponseWriter, _ *http.Request) { notFound(w) })
	require.NoError(t, c.waitChildren(t.Context(), "packages", "platform"))
}
