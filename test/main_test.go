// Package test drives the built strake binary and a real cluster, as a user
// would: nothing of tools/ is imported, nothing is mocked.
//
// TestMain brings a cluster of its own up with `strake up --no-packages` and
// takes it down again. [TestPackages] proves every published version in the
// same way, from the data of the checkout: it installs it with what it
// requires, sees that a second and a third reconcile change nothing, lets it
// work, removes it and sees that nothing is left. [TestUp] proves the command
// itself, with all picked packages on one cluster.
//
// # A package's own part
//
// What a package is for is one function in NAME_test.go and one line of
// works_test.go: func(t *testing.T, c *cluster). It is called with the package
// installed, once a version and again after the move to the next version, and
// leaves nothing behind: what it makes, it makes in c.namespace(t, "prefix"),
// which is removed when the test ends. Where users' objects must outlive the move
// itself, a second function in moves sees to that. A package that is not tested with
// the values of the environment dev has a function in values. All may use
//
//   - c.apply, c.get, c.patch, c.delete for objects of any kind, and eventually
//     for what a cluster reaches by itself;
//   - c.typed for everything else, such as logs and the API server's proxy;
//   - c.renderApp(t, name, values) for the objects of a program of test/apps,
//     whose images c.pushApps has then sent to the cluster's registry;
//   - c.install(t, "other") for a package that it does not require;
//   - hostAddress(t, c) to serve something to pods.
//
// # What runs
//
// STRAKE names the binary; without it every test on the cluster is skipped,
// loudly. STRAKE_TEST_PACKAGES picks the packages: "all", names with spaces
// between them, or "changed", which [pick] explains. STRAKE_TEST_CLUSTER names
// the kind cluster (strake-test), and STRAKE_TEST_KEEP=1 leaves it for a look
// and for the next run, which is then quick:
//
//	STRAKE_TEST_KEEP=1 STRAKE_TEST_PACKAGES=keda STRAKE=$PWD/.build/strake \
//	  go test -count=1 -v -timeout 60m -run 'TestPackages/keda@2.21.0' ./test
package test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// upTimeout is for an `up` that builds images, or the node image.
const upTimeout = 60 * time.Minute

// suite is what TestMain prepared; tests only read it.
type suite struct {
	binary     string
	name       string // the kind cluster's
	kubeconfig string
	picked     []picked
	cluster    *cluster
}

var shared suite

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	shared.binary = os.Getenv("STRAKE")
	if shared.binary == "" {
		fmt.Fprintln(os.Stderr, "SKIPPED: the tests on a cluster need the built binary in STRAKE; `make integration` sets it")
		return m.Run()
	}
	shared.name = "strake-test"
	if name := os.Getenv("STRAKE_TEST_CLUSTER"); name != "" {
		shared.name = name
	}
	dir, err := os.MkdirTemp("", "strake-test-")
	if err != nil {
		return fail("making a folder for the kubeconfig", err)
	}
	defer os.RemoveAll(dir)
	shared.kubeconfig = filepath.Join(dir, "kubeconfig")
	if shared.picked, err = pickFromEnvironment(os.Stderr); err != nil {
		return fail("picking the packages", err)
	}
	defer down()
	if shared.cluster, err = bringUp(); err != nil {
		return fail("bringing the cluster up", err)
	}
	return m.Run()
}

func bringUp() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), upTimeout)
	defer cancel()
	result, err := up(ctx, "--no-packages")
	if err != nil {
		return nil, err
	}
	c, err := connect(shared.kubeconfig)
	if err != nil {
		return nil, err
	}
	c.registry = result.Cluster
	return c, c.ensureNamespace(ctx, installNamespace)
}

func fail(doing string, err error) int {
	fmt.Fprintf(os.Stderr, "FAIL: %s: %v\n", doing, err)
	return 1
}

func down() {
	if os.Getenv("STRAKE_TEST_KEEP") != "" {
		fmt.Fprintf(os.Stderr, "kept: `%s down --name %s` removes the cluster\n", shared.binary, shared.name)
		return
	}
	if _, err := onSuite(context.Background(), "down", "--yes"); err != nil {
		fmt.Fprintln(os.Stderr, "strake down:", err)
	}
}

// onCluster answers with the suite's cluster, or skips where there is none.
func onCluster(t *testing.T) *cluster {
	t.Helper()
	if shared.cluster == nil {
		t.Skip("SKIPPED: no cluster, since STRAKE does not name the built binary; run `make integration`")
	}
	return shared.cluster
}
