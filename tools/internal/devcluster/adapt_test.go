package devcluster

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func TestContainersConf(t *testing.T) {
	require.False(t, good().needsContainersConf(), "podman's own configuration stays where it works")
	rootless := good()
	rootless.root, rootless.systemd = false, false
	require.False(t, rootless.needsContainersConf())

	bare := good()
	bare.systemd = false
	bare.capabilities &^= 1 << capSysResource
	bare.files, bare.processes = 20000, 96365
	require.True(t, bare.needsContainersConf())
	require.Equal(t, `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[containers]
pids_limit = 0
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
`, bare.containersConf())

	bare.files, bare.processes = math.MaxUint64, 100
	require.Equal(t, []string{`"nproc=100:100"`}, bare.ulimits(), "no limit is asked for where there is none")
}

func TestAdaptKeepsThePersonsOwnFile(t *testing.T) {
	t.Setenv(envContainers, "/my/own")
	t.Setenv("STRAKE_CACHE", t.TempDir())
	h := good()
	h.systemd = false
	require.NoError(t, h.adapt(podman))
	require.NoFileExists(t, t.TempDir()+"/containers.conf")
}

func TestClusterConfig(t *testing.T) {
	free := good().clusterConfig("x", false)
	require.False(t, free.Networking.DisableDefaultCNI, "a published image brings kind's network")
	require.Empty(t, free.FeatureGates)
	require.Empty(t, free.KubeadmConfigPatches)

	tight := good()
	tight.capabilities &^= 1 << capSysResource
	tight.cgroup = 1
	c := tight.clusterConfig("x", true)
	require.True(t, c.Networking.DisableDefaultCNI)
	require.True(t, c.FeatureGates["KubeletInUserNamespace"])
	require.Contains(t, c.ContainerdConfigPatches, restrictOOM)

	var patch map[string]any
	require.NoError(t, yaml.UnmarshalStrict([]byte(c.KubeadmConfigPatches[0]), &patch))
	require.Equal(t, false, patch["failCgroupV1"])
}

func TestDescribe(t *testing.T) {
	require.Equal(t, "engine podman, cgroup v2", good().describe(podman))
	require.Contains(t, host{cgroup: 1}.describe(docker), "no CAP_SYS_RESOURCE")
}
