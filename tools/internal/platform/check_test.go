package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/gotool"
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
		require.NoError(t, r.disk(gotool.Caches{Modules: t.TempDir()}))
		r.memory()
		all := map[string]Status{}
		for _, c := range r.Checks {
			all[c.Name] = c.Status
			require.Equal(t, c.Status != OK, c.Remedy != "", c)
		}
		return all
	}
	t.Setenv("STRAKE_CACHE", t.TempDir())
	require.Equal(t, OK, status(Estimate{})["disk"])
	places, err := freeSpace(Disk{}, gotool.Caches{})
	require.NoError(t, err)
	free := places[0].free
	require.Equal(t, Warning, status(Estimate{Disk: Disk{Images: free / 2, Modules: free/2 + gigabyte}})["disk"], "both are on one disk")
	require.Equal(t, Failed, status(Estimate{Disk: Disk{Build: 3 * free}})["disk"])
}

// TestSpaceByDisk: each disk must hold what is written to it, and no more.
func TestSpaceByDisk(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err != nil {
		t.Skip("SKIPPED: there is no second disk at /dev/shm; space by disk is not tested")
	}
	t.Setenv("STRAKE_CACHE", filepath.Join(t.TempDir(), "strake"))
	places, err := freeSpace(Disk{Build: 4 * gigabyte, Images: gigabyte, Modules: 2 * gigabyte}, gotool.Caches{Modules: "/dev/shm/modules"})
	require.NoError(t, err)
	require.Len(t, places, 2)
	require.EqualValues(t, 5*gigabyte, places[0].need)
	require.Equal(t, " (4.0 GB for compiled packages, removed at the end, 1.0 GB for images)", places[0].whatFor())
	require.Equal(t, "/dev/shm/modules", places[1].dir)
	require.EqualValues(t, 2*gigabyte, places[1].need)
}

func TestFreeSpaceOfFoldersToBe(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STRAKE_CACHE", filepath.Join(dir, "not", "yet"))
	require.Equal(t, dir, existing(filepath.Join(dir, "not", "yet")))
	places, err := freeSpace(Disk{}, gotool.Caches{})
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
	c.Costs.Build, c.Costs.Image = 8, 20
	c.Costs.Node, c.Costs.Modules = map[string]int{"kubernetes": 900}, map[string]int{"kubernetes": 600}
	caches := gotool.Caches{Modules: t.TempDir()}
	plan, err := New(c, Options{Packages: versions(t, c, "app@1.0.0")})
	require.NoError(t, err)
	there, err := plan.estimate(t.Context(), &devcluster.Readiness{Exists: true}, caches)
	require.NoError(t, err)
	require.Empty(t, there.Compile)
	require.Zero(t, there.Disk)
	require.Equal(t, 2*int(deployTime.Seconds()), there.Seconds)
	require.Contains(t, there.String(), "about 1m on this machine (half or twice as long is possible); nothing has to be compiled")

	cold, err := plan.estimate(t.Context(), &devcluster.Readiness{Programs: []string{"kubernetes"}}, caches)
	require.NoError(t, err)
	require.Equal(t, []string{"node/kubernetes"}, cold.Compile)
	require.Equal(t, 900, cold.CPUSeconds, "nothing to calibrate by")
	require.Equal(t, Disk{Build: 7200 * megabyte, Images: 20 * megabyte, Modules: 600 * megabyte, Cluster: clusterDisk}, cold.Disk)
	require.Equal(t, 7820*megabyte+clusterDisk, cold.Disk.Total())
	require.Greater(t, cold.Seconds, there.Seconds+int((clusterTime+nodeTime).Seconds()))
	require.True(t, strings.HasSuffix(cold.String(), "to compile: node/kubernetes, which takes about 7.8 GB of disk, 7.2 GB of them until all images are made"), cold.String())
}
