package test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// appsRoot is a Strake checkout of its own: the programs that tests run on the
// cluster, as packages without an upstream.
const appsRoot = "test/apps"

// appsRepository is where the cluster's registry keeps them. Each content has a
// repository of its own, since a push moves no tag and a cluster may be kept.
func appsRepository(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join("..", appsRoot, "repo", "bundle.lock.yml"))
	require.NoError(t, err)
	return fmt.Sprintf("strake/test-apps-%x", sha256.Sum256(lock))[:40]
}

var pushOnce struct {
	sync.Once
	err error
}

// pushApps sends the images of all test programs to the cluster's registry,
// once a run.
func (c *cluster) pushApps(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("..", appsRoot)); err != nil {
		t.Fatalf("no test programs: %v", err)
	}
	pushOnce.Do(func() {
		ctx, cancel := context.WithTimeout(lasting(t), upTimeout)
		defer cancel()
		_, pushOnce.err = strake(ctx, "", "push", "--root", appsRoot, "--to", c.registry.RegistryPush+"/"+appsRepository(t), "--registry-insecure")
	})
	require.NoError(t, pushOnce.err)
}

// renderApp is what a test program installs with these values, as YAML for
// apply, with its image named in the cluster's registry. It pushes first.
func (c *cluster) renderApp(t *testing.T, name string, values map[string]any) string {
	t.Helper()
	c.pushApps(t)
	input, err := yaml.Marshal(values)
	require.NoError(t, err)
	objects, err := strake(t.Context(), string(input), "render", name, "--root", appsRoot,
		"--repository", c.registry.RegistryCluster+"/"+appsRepository(t), "--values-file", "-")
	require.NoError(t, err)
	return objects
}

// appImage is the reference by which the cluster's nodes fetch the image of a
// test program that has one.
func (c *cluster) appImage(t *testing.T, name string) string {
	t.Helper()
	found := imageField.FindStringSubmatch(c.renderApp(t, name, nil))
	require.NotNil(t, found, "the objects of %s name no image", name)
	return found[1]
}

var imageField = regexp.MustCompile(`(?m)^ *(?:- )?image: (\S+)$`)
