package test

import (
	"context"
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
	install := c.waitReconciled(t, packageInstallKind, installNamespace, installName)
	version, _, _ := unstructured.NestedString(install.Object, "status", "version")
	require.Equal(t, "2.21.0", version)
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

// TestUpTwiceIsQuickAndHarmless compares with the first run of this suite
// rather than with a clock: what is there already is not made again.
func TestUpTwiceIsQuickAndHarmless(t *testing.T) {
	c := onCluster(t)
	before := c.owned(t)
	begin := time.Now()
	_, err := strake(t.Context(), "up")
	require.NoError(t, err)
	t.Logf("first up: %s; second: %s", shared.upDuration.Round(time.Second), time.Since(begin).Round(time.Second))
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
	c.waitReconciled(t, packageInstallKind, installNamespace, installName)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), upTimeout)
		defer cancel()
		_, err := strake(ctx, "up")
		require.NoError(t, err)
	})
	c.delete(t, packageInstallKind, installNamespace, installName)
	eventually(t, 5*time.Minute, "the PackageInstall is gone", func() (bool, string) {
		object := c.get(t, packageInstallKind, installNamespace, installName)
		if object == nil {
			return true, ""
		}
		_, say := reconciled(object)
		return false, say
	})
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

// leftOver spares what the repository offers and what the person who installed
// owns: the Package, its metadata, and the values beside the install.
func leftOver(object *unstructured.Unstructured) bool {
	group := object.GroupVersionKind().Group
	if group == "data.packaging.carvel.dev" || group == "internal.packaging.carvel.dev" || object.GetNamespace() == installNamespace {
		return false
	}
	return kedas(object) && !strings.HasPrefix(object.GetName(), installNamespace)
}
