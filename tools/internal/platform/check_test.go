package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/devcluster"
)

func TestReport(t *testing.T) {
	r := &Report{}
	r.cluster(&devcluster.Readiness{Description: "engine podman, cgroup v2"})
	r.cluster(&devcluster.Readiness{Installs: []string{"podman", "runc"}})
	require.Equal(t, "cluster: will install podman, runc", r.Checks[1].String())
	r.add("disk", Warning, "free some", "little")
	require.NoError(t, r.Err(), "a warning does not fail")
	r.cluster(&devcluster.Readiness{Missing: []devcluster.Missing{{What: "an engine", Why: "nodes", Get: "install one"}}})
	r.add("values of app", Failed, "read docs", "unknown key")
	require.EqualError(t, r.Err(), "cluster: missing is an engine, for nodes; install one\nvalues of app: unknown key; read docs")
}

func TestMachineChecks(t *testing.T) {
	status := func(e Estimate) map[string]Status {
		r := &Report{Estimate: e}
		require.NoError(t, r.machine(t.Context(), true))
		all := map[string]Status{}
		for _, c := range r.Checks {
			all[c.Name] = c.Status
			require.Equal(t, c.Status != OK, c.Remedy != "", c)
		}
		return all
	}
	require.Equal(t, OK, status(Estimate{})["disk"])
	places, err := freeSpace(t.Context())
	require.NoError(t, err)
	require.Equal(t, Warning, status(Estimate{Disk: places[0].free + gigabyte})["disk"])
	require.Equal(t, Failed, status(Estimate{Disk: 3 * places[0].free})["disk"])
}

func TestFreeSpaceOfFoldersToBe(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STRAKE_CACHE", filepath.Join(dir, "not", "yet"))
	require.Equal(t, dir, existing(filepath.Join(dir, "not", "yet")))
	places, err := freeSpace(t.Context())
	require.NoError(t, err)
	require.NotZero(t, places[0].free)
	if _, err := os.Stat("/proc/meminfo"); err == nil {
		free, known := freeMemory()
		require.True(t, known)
		require.NotZero(t, free)
	}
}

func TestEstimate(t *testing.T) {
	c := newCatalog(t)
	c.Costs.Disk, c.Costs.Node = 8, map[string]int{"kubernetes": 900}
	plan, err := New(c, Options{Packages: versions(t, c, "app@1.0.0")})
	require.NoError(t, err)
	there, err := plan.estimate(t.Context(), &devcluster.Readiness{Exists: true})
	require.NoError(t, err)
	require.Empty(t, there.Compile)
	require.Equal(t, 2*int(deployTime.Seconds()), there.Seconds)
	require.Contains(t, there.String(), "about 1m on this machine (half or twice as long is possible); nothing has to be compiled")

	cold, err := plan.estimate(t.Context(), &devcluster.Readiness{Programs: []string{"kubernetes"}})
	require.NoError(t, err)
	require.Equal(t, []string{"node/kubernetes"}, cold.Compile)
	require.Equal(t, 900, cold.CPUSeconds, "nothing to calibrate by")
	require.EqualValues(t, 7200*1000*1000, cold.Disk)
	require.Greater(t, cold.Seconds, there.Seconds+int((clusterTime+nodeTime).Seconds()))
	require.True(t, strings.HasSuffix(cold.String(), "to compile: node/kubernetes, which leaves about 7.2 GB in Go's caches"), cold.String())
}
