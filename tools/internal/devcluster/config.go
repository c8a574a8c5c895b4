package devcluster

import (
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
)

// podSubnet is kind's default; the bridge of the node image from source
// stands in its first /24, which is the first node's.
const podSubnet = "10.244.0.0/16"

// registryConfig makes containerd read /etc/containerd/certs.d, where the
// nodes learn how to speak to the registry.
const registryConfig = `[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
`

// restrictOOM keeps containerd from giving a container a better chance to
// survive than its own, which takes CAP_SYS_RESOURCE.
const restrictOOM = `[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
`

// cgroup1 lets the kubelet run on the old cgroups, which it refuses from
// Kubernetes 1.35 on.
const cgroup1 = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
`

// clusterConfig is kind's configuration for what the host allows. source
// tells that the node image is the one from source, which brings its own
// network.
func (h host) clusterConfig(name string, source bool) *v1alpha4.Cluster {
	c := &v1alpha4.Cluster{
		TypeMeta:                v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:                    name,
		Networking:              v1alpha4.Networking{PodSubnet: podSubnet, ServiceSubnet: serviceSubnet, DisableDefaultCNI: source},
		ContainerdConfigPatches: []string{registryConfig},
	}
	if !h.can(capSysResource) {
		c.FeatureGates = map[string]bool{"KubeletInUserNamespace": true}
		c.ContainerdConfigPatches = append(c.ContainerdConfigPatches, restrictOOM)
	}
	if h.cgroup == 1 {
		c.KubeadmConfigPatches = []string{cgroup1}
	}
	return c
}
