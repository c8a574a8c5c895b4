package test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestEveryPackageHasItsWork(t *testing.T) {
	for name := range readCheckout(t).Published {
		require.Contains(t, works, name, "works_test.go has no line for the published package %s", name)
	}
}

// offered are the Packages that kapp-controller offers in the tests' namespace.
func (c *cluster) offered(t *testing.T) []unstructured.Unstructured {
	t.Helper()
	resource, err := c.of(packageKind, installNamespace)
	require.NoError(t, err)
	list, err := resource.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, list.Items)
	return list.Items
}

func TestRepositoryOffersEveryPublishedVersion(t *testing.T) {
	c := onCluster(t)
	var have, want []string
	for _, item := range c.offered(t) {
		name, _, _ := unstructured.NestedString(item.Object, "spec", "refName")
		version, _, _ := unstructured.NestedString(item.Object, "spec", "version")
		have = append(have, name+"@"+version)
	}
	checkout := readCheckout(t)
	for name, versions := range checkout.Published {
		for _, version := range versions {
			want = append(want, name+"."+checkout.Domain+"@"+version)
		}
	}
	require.ElementsMatch(t, want, have)
}

// TestPackagesAreListedWithoutNotesOnTheirSchemas sees to the size of what
// kapp-controller reads again and again: a list of all Packages, in which notes of
// who set which key of a schema would weigh almost as much as the schemas.
func TestPackagesAreListedWithoutNotesOnTheirSchemas(t *testing.T) {
	c := onCluster(t)
	for _, item := range c.offered(t) {
		schema, found, err := unstructured.NestedMap(item.Object, "spec", "valuesSchema", "openAPIv3", "properties")
		require.NoError(t, err)
		require.True(t, found && len(schema) > 0, "%s has a schema", item.GetName())
		for _, managed := range item.GetManagedFields() {
			require.NotContains(t, managed.FieldsV1.String(), "f:properties", item.GetName())
		}
	}
}

// TestPackages proves the picked packages one after the other, each on a
// cluster that has only what it requires.
func TestPackages(t *testing.T) {
	c := onCluster(t)
	for _, p := range shared.picked {
		for i, version := range slices.Backward(p.versions) {
			t.Run(p.name+"@"+version, func(t *testing.T) {
				imagesWithinReach(t, p.name, version)
				c.startEmpty(t)
				if i == len(p.versions)-1 {
					c.proveNewest(t, p.name, version)
				} else {
					c.proveWay(t, p.name, version, p.versions[i+1])
				}
			})
		}
	}
}

// proveNewest installs a version, lets it work, removes it, and sees that nothing is left.
func (c *cluster) proveNewest(t *testing.T, name, version string) {
	t.Helper()
	before := c.snapshot(t)
	installed := c.upSteady(t, name, version)
	c.work(t, name, "work")
	c.requireIsolated(t, name)
	c.uninstall(t, namesOf(installed))
	c.requireNothingLeft(t, before)
}

// proveWay installs a version, lets it work, moves to the next one and lets
// that work; then it removes all, too. In the end it installs the version once
// more and removes that: what it leaves, the next one might have taken along. It
// deletes that one as kubectl does, and `strake uninstall` removes what is beside it.
func (c *cluster) proveWay(t *testing.T, name, version, next string) {
	t.Helper()
	before := c.snapshot(t)
	c.upSteady(t, name, version)
	c.work(t, name, "work of "+version)
	var installed []installedAs
	c.move(t, name, "move to "+next, func(t *testing.T) { installed = c.upSteady(t, name, next) })
	c.awaitEndedPods(t)
	c.work(t, name, "work of "+next)
	c.uninstall(t, namesOf(installed))
	c.requireNothingLeft(t, before)

	installed = c.up(t, name+"@"+version)
	c.deleteInstall(t, installNamespace, name)
	c.uninstall(t, namesOf(installed))
	c.requireNothingLeft(t, before)
}

// upSteady installs a version, or moves to it, and what it needs, each with an account
// that has no more rights than it needs, and sees that reconciling again changes nothing.
func (c *cluster) upSteady(t *testing.T, name, version string) []installedAs {
	t.Helper()
	installed := c.up(t, name+"@"+version)
	c.requireVersion(t, name, version)
	for _, i := range installed {
		c.requireNoAdministrator(t, i)
		c.requireSteady(t, i.Name)
	}
	return installed
}

// awaitEndedPods waits until pods that were told to end have ended. After a move, a
// webhook of the version before answers for as long as the API server asks it over
// connections that it kept: its answers would be taken for the next version's, and a
// call is lost when its grace period ends before that.
func (c *cluster) awaitEndedPods(t *testing.T) {
	t.Helper()
	eventually(t, 6*time.Minute, "pods of the version before end", func() (bool, string) {
		pods, err := c.typed.CoreV1().Pods("").List(lasting(t), metav1.ListOptions{})
		require.NoError(t, err)
		var ending []string
		for _, pod := range pods.Items {
			if pod.DeletionTimestamp != nil {
				ending = append(ending, pod.Namespace+"/"+pod.Name)
			}
		}
		return len(ending) == 0, strings.Join(ending, ", ")
	})
}

func (c *cluster) work(t *testing.T, name, title string) {
	t.Helper()
	require.Contains(t, works, name, "works_test.go has no line for %s", name)
	ok := t.Run(title, func(t *testing.T) {
		works[name](t, c)
		examplesRun(t, c, name)
	})
	require.True(t, ok, "%s does not do its work", name)
}

// move lets the package, if it has something to say of moves, look at users'
// objects before and after.
func (c *cluster) move(t *testing.T, name, title string, to func(t *testing.T)) {
	t.Helper()
	around, found := moves[name]
	if !found {
		to(t)
		return
	}
	ok := t.Run(title, func(t *testing.T) { around(t, c, func() { to(t) }) })
	require.True(t, ok, "the move of %s to its next version", name)
}

func namesOf(installed []installedAs) []string {
	var names []string
	for _, i := range installed {
		names = append(names, i.Name)
	}
	return names
}

// requireVersion takes `strake up` at its word: the version runs, and nobody
// need wait any more.
func (c *cluster) requireVersion(t *testing.T, name, version string) {
	t.Helper()
	require.Equal(t, version, c.versionOf(t, name))
	app := c.get(t, appKind, installNamespace, name)
	require.Equal(t, version, app.GetAnnotations()["packaging.carvel.dev/package-version"])
	done, say := reconciled(app)
	require.True(t, done, "strake up has ended, and the App says: %s", say)
}

// versionOf is the version that is installed.
func (c *cluster) versionOf(t *testing.T, name string) string {
	t.Helper()
	install := c.get(t, packageInstallKind, installNamespace, name)
	require.NotNil(t, install)
	version, _, _ := unstructured.NestedString(install.Object, "status", "version")
	return version
}

// requireSteady reconciles an install a second and a third time.
func (c *cluster) requireSteady(t *testing.T, name string) {
	t.Helper()
	for range 2 {
		before := c.settled(t, name)
		require.NotEmpty(t, before)
		app := c.kick(t, installNamespace, name)
		stdout, _, err := unstructured.NestedString(app.Object, "status", "deploy", "stdout")
		require.NoError(t, err)
		require.Contains(t, stdout, "0 create, 0 delete, 0 update", "kapp found drift:\n%s", stdout)
		require.Equal(t, before, c.owned(t, name), "objects that a reconcile touched though nothing differed")
	}
}

// settled is owned when it stays the same for a few seconds: controllers that
// have just started still write into their own webhooks and defaults.
func (c *cluster) settled(t *testing.T, name string) map[string]string {
	t.Helper()
	last := c.owned(t, name)
	eventually(t, time.Minute, "the objects of "+name+" come to rest", func() (bool, string) {
		time.Sleep(2 * time.Second)
		now := c.owned(t, name)
		changed := differences(last, now)
		last = now
		return len(changed) == 0, strings.Join(changed, ", ")
	})
	return last
}

// differences are the keys whose values differ.
func differences(a, b map[string]string) []string {
	var keys []string
	for key, value := range b {
		if a[key] != value {
			keys = append(keys, key)
		}
	}
	return keys
}

var lockedReference = regexp.MustCompile(`(?m)^\s+reference: ([^/\s]+)/`)

// imagesWithinReach skips a version that is locked to its project's own
// images where a registry of those does not answer.
func imagesWithinReach(t *testing.T, name, version string) {
	t.Helper()
	if host := registryOutOfReach(t, name, version); host != "" {
		t.Skipf("SKIPPED: %s %s runs its project's own images, and their registry %s does not answer here", name, version, host)
	}
}

// registryOutOfReach is the first registry of a version's upstream images that
// does not answer, or nothing.
func registryOutOfReach(t *testing.T, name, version string) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join("..", "packages", name, version, "images.lock.yml"))
	if os.IsNotExist(err) || !strings.Contains(string(lock), "\nsource: upstream\n") {
		return ""
	}
	require.NoError(t, err)
	for _, match := range lockedReference.FindAllStringSubmatch(string(lock), -1) {
		if !answers(match[1]) {
			return match[1]
		}
	}
	return ""
}

func answers(host string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/v2/", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized
}
