package test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestUpInstallsFromThisCheckout(t *testing.T) {
	c := onCluster(t)
	require.Equal(t, "2.21.0", c.installedVersion(t))
	require.Contains(t, shared.upOutput, "kubectl")
	require.Contains(t, shared.upOutput, "kctrl")
}

func TestRepositoryOffersEveryPublishedVersion(t *testing.T) {
	c := onCluster(t)
	resource, err := c.of(packageKind, installNamespace)
	require.NoError(t, err)
	offered, err := resource.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	var versions []string
	for _, item := range offered.Items {
		version, _, _ := unstructured.NestedString(item.Object, "spec", "version")
		versions = append(versions, version)
	}
	require.ElementsMatch(t, []string{"2.20.2", "2.21.0"}, versions)
}

// upResult is the part of `strake up -o json` that tests read.
type upResult struct {
	Cluster struct {
		Context         string `json:"context"`
		Engine          string `json:"engine"`
		RegistryCluster string `json:"registryCluster"`
		Created         bool   `json:"created"`
	} `json:"cluster"`
	Installed []struct {
		Package string `json:"package"`
		Version string `json:"version"`
	} `json:"installed"`
}

func upAgain(t *testing.T, args ...string) upResult {
	t.Helper()
	out, err := strake(t.Context(), "up", append(args, "-o", "json")...)
	require.NoError(t, err)
	var result upResult
	require.NoError(t, json.Unmarshal([]byte(out), &result), out)
	return result
}

// TestUpTwiceIsQuickAndHarmless logs the two times rather than judging them:
// what shows is that nothing was made again.
func TestUpTwiceIsQuickAndHarmless(t *testing.T) {
	c := onCluster(t)
	before := c.owned(t)
	begin := time.Now()
	result := upAgain(t)
	t.Logf("first up: %s; second: %s", shared.upDuration.Round(time.Second), time.Since(begin).Round(time.Second))
	require.False(t, result.Cluster.Created)
	require.Equal(t, before, c.owned(t))
}

// TestUpOnAnExistingCluster takes the suite's cluster for somebody else's: it
// is known by its context alone, and its registry by the address that nodes
// and this machine share.
func TestUpOnAnExistingCluster(t *testing.T) {
	c := onCluster(t)
	own := upAgain(t)
	hostAddress(t, c) // skips where this machine is not in the nodes' network
	before := c.owned(t)
	result := upAgain(t, "--context", own.Cluster.Context, "--registry", own.Cluster.RegistryCluster)
	require.Empty(t, result.Cluster.Engine, "no engine is asked about a cluster that is not ours")
	require.Equal(t, own.Installed, result.Installed)
	require.Equal(t, before, c.owned(t))
}

func TestKctrlSeesTheInstall(t *testing.T) {
	onCluster(t)
	path, err := exec.LookPath("kctrl")
	if err != nil {
		t.Skip("SKIPPED: kctrl is not on PATH; https://carvel.dev/kapp-controller/docs/latest/install/ tells how to get it")
	}
	out, err := exec.CommandContext(t.Context(), path, "package", "installed", "list", "-n", installNamespace,
		"--kubeconfig", shared.kubeconfig).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), kedaPackage)
}

// TestDeleteLeavesNothing removes the install, looks for anything of KEDA's in
// every kind of the cluster, and lets `up` install it again for other tests.
func TestDeleteLeavesNothing(t *testing.T) {
	c := onCluster(t)
	restoreAfter(t)
	c.removeKEDA(t)
	var left []string
	eventually(t, time.Minute, "nothing of KEDA's is left", func() (bool, string) {
		left = nil
		c.eachObject(t, "", func(object *unstructured.Unstructured) {
			if leftOver(object) {
				left = append(left, strings.Join([]string{object.GetKind(), object.GetNamespace(), object.GetName()}, "/"))
			}
		})
		return len(left) == 0, strings.Join(left, ", ")
	})
}

// TestOlderVersionWorksAndGivesWay installs the version before the newest, has
// it scale, and lets `up` replace it by the newest. One KEDA a cluster, and
// kapp-controller refuses a downgrade: so the newest goes first.
func TestOlderVersionWorksAndGivesWay(t *testing.T) {
	c := onCluster(t)
	restoreAfter(t)
	c.removeKEDA(t)
	upAgain(t, "--package", "keda@2.20.2")
	require.Equal(t, "2.20.2", c.installedVersion(t))
	c.scaleFromZeroAndBack(t)
	upAgain(t)
	require.Equal(t, "2.21.0", c.installedVersion(t))
	c.scaleFromZeroAndBack(t)
}

// restoreAfter leaves the cluster as other tests expect it.
func restoreAfter(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), upTimeout)
		defer cancel()
		_, err := strake(ctx, "up")
		require.NoError(t, err)
	})
}

func (c *cluster) installedVersion(t *testing.T) string {
	t.Helper()
	install := c.waitReconciled(t, packageInstallKind, installNamespace, installName)
	version, _, _ := unstructured.NestedString(install.Object, "status", "version")
	return version
}

func (c *cluster) removeKEDA(t *testing.T) {
	t.Helper()
	c.waitReconciled(t, packageInstallKind, installNamespace, installName)
	c.deleteInstall(t, installNamespace, installName)
}

// leftOver spares what the repository offers and what the person who installed
// owns: the Package, its metadata, and the values beside the install.
func leftOver(object *unstructured.Unstructured) bool {
	group := object.GroupVersionKind().Group
	if group == "data.packaging.carvel.dev" || group == "internal.packaging.carvel.dev" || object.GetNamespace() == installNamespace {
		return false
	}
	return kedas(object) && !strings.HasPrefix(object.GetName(), installNamespace)
}
