package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// strake runs the binary in the checkout, with input on its stdin. Its stdout
// is the answer; stderr goes to the person who watches and, where it fails,
// into the error.
func strake(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, shared.binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	cmd.Dir = ".."
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, io.MultiWriter(&stderr, os.Stderr)
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("strake %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// onSuite runs a command that works on a development cluster, on the suite's.
func onSuite(ctx context.Context, command string, args ...string) (string, error) {
	return strake(ctx, "", append([]string{command, "--name", shared.name, "--kubeconfig", shared.kubeconfig}, args...)...)
}

// upResult is the part of `strake up -o json` that tests read.
type upResult struct {
	Cluster   upCluster     `json:"cluster"`
	Installed []installedAs `json:"installed"`
}

type upCluster struct {
	Context         string `json:"context"`
	Engine          string `json:"engine"`
	RegistryPush    string `json:"registryPush"`
	RegistryCluster string `json:"registryCluster"`
	Created         bool   `json:"created"`
}

// installedAs is one PackageInstall, in the order of installation.
type installedAs struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Package   string `json:"package"`
	Version   string `json:"version"`
}

func up(ctx context.Context, args ...string) (result upResult, err error) {
	out, err := onSuite(ctx, "up", append(args, "-o", "json")...)
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		return result, fmt.Errorf("what strake up printed is no JSON: %w\n%s", err, out)
	}
	return result, nil
}

// up installs packages, NAME or NAME@VERSION, with what they require, and
// waits until they have reconciled.
func (c *cluster) up(t *testing.T, packages ...string) []installedAs {
	t.Helper()
	var args []string
	for _, p := range packages {
		args = append(args, "--package", p)
		name, _, _ := strings.Cut(p, "@")
		of, found := values[name]
		if !found {
			of = func(t *testing.T) map[string]any { return withNetworkPolicies(t, name) }
		}
		if tree := of(t); tree != nil {
			args = append(args, "--values", name+"="+valuesFile(t, tree))
		}
	}
	ctx, cancel := context.WithTimeout(lasting(t), upTimeout)
	defer cancel()
	begin := time.Now()
	result, err := up(ctx, args...)
	require.NoError(t, err)
	t.Logf("strake up %s: %s", strings.Join(args, " "), time.Since(begin).Round(time.Second))
	return result.Installed
}

// setValues gives an install other values, as people do: the account that installs
// gets the rights for them, too.
func (c *cluster) setValues(t *testing.T, name, values string) {
	t.Helper()
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(values), &tree))
	_, err := up(lasting(t), "--package", name+"@"+c.versionOf(t, name), "--values", name+"="+valuesFile(t, tree))
	require.NoError(t, err)
}

// install puts a package beside the one whose work is tested, for as long as
// the test lasts. A package that a version requires is there already.
func (c *cluster) install(t *testing.T, name string) {
	t.Helper()
	there := c.installs(t)
	t.Cleanup(func() { c.uninstall(t, without(c.installs(t), there)) })
	c.up(t, name)
}

// without are the elements of list that others lacks.
func without(list, others []string) []string {
	known := map[string]bool{}
	for _, name := range others {
		known[name] = true
	}
	var rest []string
	for _, name := range list {
		if !known[name] {
			rest = append(rest, name)
		}
	}
	return rest
}
