package test

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPlatformTimes measures the time until the platform has reconciled with all
// packages, beside the longest of the chains that they consist of, each by itself:
// a package that no other needs, and what it needs. Values are those of the
// development environment, images are present. It runs on request: `make
// bench-install`.
func TestPlatformTimes(t *testing.T) {
	c := onCluster(t)
	if os.Getenv("STRAKE_TEST_TIMES") == "" {
		t.Skip("SKIPPED: times are measured by `make bench-install`")
	}
	const platform = platformName
	for _, name := range append(installedBy(t, platform), platform) {
		newestPicked(t, name)
	}
	c.startEmpty(t)
	require.NoError(t, c.ensureNamespace(t.Context(), platformNamespace))
	t.Cleanup(func() { require.NoError(t, c.removeNamespace(lasting(t), platformNamespace)) })
	t.Cleanup(func() { c.removePlatform(t, platform) })

	const rounds = 3 // fewer than a package's: each takes minutes
	all := installedBy(t, platform)
	c.timePlatform(t, platform, all, all) // brings all images
	var whole, longest time.Duration
	for range rounds {
		whole += c.timePlatform(t, platform, all, all) / rounds
	}
	for _, chain := range chains(all, readCheckout(t).requires) {
		took := c.timePlatform(t, platform, all, chain)
		t.Logf("%v: %s", chain, took.Round(10*time.Millisecond))
		longest = max(longest, took)
	}
	t.Logf("TIMES platform: %s for %d packages (mean of %d), %s for the longest chain, ratio %.2f", whole.Round(10*time.Millisecond),
		len(all), rounds, longest.Round(10*time.Millisecond), whole.Seconds()/longest.Seconds())
}

// timePlatform installs the platform with some of all packages, and removes it.
// The time is kapp-controller's own: from the request until all have reconciled.
func (c *cluster) timePlatform(t *testing.T, platform string, all, enabled []string) time.Duration {
	t.Helper()
	packages := map[string]any{}
	for _, name := range without(all, enabled) {
		packages[name] = map[string]any{"enabled": false}
	}
	begin, worked := time.Now(), busy(t)
	c.become(t, platform, setting{"dev", []string{"--values-file", valuesFile(t, map[string]any{"packages": packages})}})
	t.Logf("%d packages: strake up took %s, in which the machine's %d processors worked %s", len(enabled),
		time.Since(begin).Round(10*time.Millisecond), runtime.NumCPU(), (busy(t) - worked).Round(10*time.Millisecond))
	asked := c.get(t, packageInstallKind, platformNamespace, platform).GetCreationTimestamp()
	app := c.get(t, appKind, platformNamespace, platform)
	done, err := time.Parse(time.RFC3339, deployField(app, "updatedAt"))
	require.NoError(t, err)
	c.removePlatform(t, platform)
	return done.Sub(asked.Time)
}

// installedBy are the packages that the newest version of the platform installs.
func installedBy(t *testing.T, platform string) []string {
	t.Helper()
	var version struct {
		Installs map[string]string `json:"installs"`
	}
	require.NoError(t, readYAML("../packages/"+platform+"/"+newestPicked(t, platform)+"/version.yml", &version))
	return sortedKeys(version.Installs)
}

// chains are the packages that no other of them needs, each with all that it needs.
func chains(all []string, requires map[string][]string) [][]string {
	needed := map[string]bool{}
	for _, name := range all {
		for _, need := range requires[name] {
			needed[need] = true
		}
	}
	var list [][]string
	for _, name := range all {
		if !needed[name] {
			chain := []string{name}
			for i := 0; i < len(chain); i++ {
				for _, need := range requires[chain[i]] {
					if slices.Contains(all, need) && !slices.Contains(chain, need) {
						chain = append(chain, need)
					}
				}
			}
			list = append(list, chain)
		}
	}
	return list
}

func TestChains(t *testing.T) {
	requires := map[string][]string{"serving": {"ingress", "other"}, "app": {"serving"}, "tool": {"ingress"}}
	require.Equal(t, [][]string{{"app", "serving", "ingress"}, {"tool", "ingress"}},
		chains([]string{"app", "ingress", "serving", "tool"}, requires))
}
