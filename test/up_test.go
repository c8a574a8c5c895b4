package test

import (
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUp proves `strake up` with all picked packages on one cluster: all that
// are published, in the order of what they require, if all were asked for.
func TestUp(t *testing.T) {
	c := onCluster(t)
	c.startEmpty(t)
	before := c.snapshot(t)
	args, want := c.upArguments(t)

	begin := time.Now()
	out, err := onSuite(t.Context(), "up", args...)
	require.NoError(t, err)
	t.Logf("strake up: %s", time.Since(begin).Round(time.Second))
	for _, line := range append(want, "kubectl", "kctrl") {
		require.Contains(t, out, line)
	}
	c.logFootprint(t)

	again, err := up(t.Context(), args...)
	require.NoError(t, err)
	t.Run("twice is quick and harmless", func(t *testing.T) { c.upAgain(t, args, again) })
	t.Run("on an existing cluster", func(t *testing.T) { c.upOnExisting(t, args, again) })
	t.Run("strake status sees the installs, and what is changed by hand", func(t *testing.T) { c.statusShows(t, again.Installed) })
	t.Run("kctrl sees the installs", func(t *testing.T) { kctrlSees(t, again) })

	c.uninstall(t, namesOf(again.Installed))
	c.requireNothingLeft(t, before)
}

// upArguments choose the newest version of each picked package that can run
// here, and want has what `up` must say of it. Where these are all published
// ones, --all chooses them.
func (c *cluster) upArguments(t *testing.T) (args, want []string) {
	t.Helper()
	checkout := readCheckout(t)
	for _, p := range shared.picked {
		if slices.Contains(checkout.installing, p.name) {
			continue // with what it installs, these would be there twice
		}
		newest := p.versions[len(p.versions)-1]
		if host := registryOutOfReach(t, p.name, newest); host != "" {
			t.Logf("SKIPPED: %s runs its project's own images, and their registry %s does not answer here", p.name, host)
			continue
		}
		args = append(args, "--package", p.name)
		want = append(want, p.name+"."+checkout.Domain+" "+newest+" is installed")
	}
	if len(args) == 0 {
		t.Skip("SKIPPED: none of the picked packages can run here")
	}
	if len(want) == len(checkout.Published)-len(checkout.installing) {
		return []string{"--all"}, want
	}
	return args, want
}

// allOwned are the objects of all installs.
func (c *cluster) allOwned(t *testing.T, r upResult) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, i := range r.Installed {
		for id, state := range c.settled(t, i.Name) {
			all[id] = state
		}
	}
	return all
}

// upAgain logs the time rather than judging it: what shows is that nothing
// was made again.
func (c *cluster) upAgain(t *testing.T, args []string, first upResult) {
	before := c.allOwned(t, first)
	begin := time.Now()
	second, err := up(t.Context(), args...)
	require.NoError(t, err)
	t.Logf("strake up again: %s", time.Since(begin).Round(time.Second))
	require.False(t, second.Cluster.Created)
	require.Equal(t, first.Installed, second.Installed)
	require.Equal(t, before, c.allOwned(t, second))
}

// upOnExisting takes the suite's cluster for somebody else's: it is known by
// its context alone, and its registry by the address that nodes and this
// machine share.
func (c *cluster) upOnExisting(t *testing.T, args []string, own upResult) {
	hostAddress(t, c) // skips where this machine is not in the nodes' network
	before := c.allOwned(t, own)
	result, err := up(t.Context(), append(args, "--context", own.Cluster.Context, "--registry", own.Cluster.RegistryCluster)...)
	require.NoError(t, err)
	require.Empty(t, result.Cluster.Engine, "no engine is asked about a cluster that is not ours")
	require.Equal(t, own.Installed, result.Installed)
	require.Equal(t, before, c.allOwned(t, result))
}

func kctrlSees(t *testing.T, r upResult) {
	path, err := exec.LookPath("kctrl")
	if err != nil {
		t.Skip("SKIPPED: kctrl is not on PATH; https://carvel.dev/kapp-controller/docs/latest/install/ tells how to get it")
	}
	out, err := exec.CommandContext(t.Context(), path, "package", "installed", "list", "-n", installNamespace,
		"--kubeconfig", shared.kubeconfig).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, i := range r.Installed {
		require.Contains(t, string(out), i.Package)
	}
}
