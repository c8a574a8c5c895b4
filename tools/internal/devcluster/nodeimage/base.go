package nodeimage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// bridgeNetwork is the CNI configuration of the node: with one node, a bridge
// is all the network that pods need, and nothing has to be deployed for it.
// The subnet is the first that the controller manager gives out of kind's
// default pod subnet.
const bridgeNetwork = `{
  "cniVersion": "0.4.0",
  "name": "bridge",
  "plugins": [
    {
      "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "10.244.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`

// entrypoint is kind's script, which prepares the container and then becomes
// systemd.
func entrypoint() []string { return []string{"/usr/local/bin/entrypoint", "/sbin/init"} }

// loadBase puts the node's base image into the engine: the system, and on it
// kind's files and the programs. It has no control-plane images yet.
func (b *build) loadBase(ctx context.Context) error {
	system, err := fileLayer(b.rootfs, stored)
	if err != nil {
		return err
	}
	node, err := b.nodeLayer(ctx)
	if err != nil {
		return err
	}
	image, err := assemble(v1.Config{
		Entrypoint: entrypoint(),
		// systemd looks for the variable to learn that it is in a container,
		// and ends on this signal only.
		Env:        []string{"container=podman", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		StopSignal: "SIGRTMIN+3",
	}, system, node)
	if err != nil {
		return err
	}
	return b.load(ctx, image, b.base())
}

// nodeLayer holds what makes the system a node.
func (b *build) nodeLayer(ctx context.Context) (v1.Layer, error) {
	spec, err := b.containerSpec(ctx)
	if err != nil {
		return nil, err
	}
	file, err := b.scratch("node.tar")
	if err != nil {
		return nil, err
	}
	l := newLayer(file)
	for _, dir := range []string{"kind/manifests", "etc/kubernetes/manifests", "etc/cni/net.d", "opt/cni/bin"} {
		l.folder(dir)
	}
	l.tree("", b.kind, kindMode)
	l.bytes("kind/version", []byte(b.versions["kubernetes"]))
	l.bytes("etc/containerd/cri-base.json", spec)
	l.bytes("etc/cni/net.d/10-bridge.conflist", []byte(bridgeNetwork))
	l.bytes("etc/systemd/journald.conf.d/10-node.conf", []byte("[Journal]\nReadKMsg=no\n"))
	unit, err := inputs.ReadFile("units/kube-router.service")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded unit of kube-router: %w", err)
	}
	l.bytes("etc/systemd/system/kube-router.service", unit)
	b.addPrograms(l)
	addLinks(l)
	return l.finish(stored)
}

func (b *build) addPrograms(l *layer) {
	for _, p := range []string{"containerd", "containerd-shim-runc-v2", "ctr", "kube-router"} {
		l.copied("usr/local/bin/"+p, b.programs[p], 0o755)
	}
	for _, p := range []string{"kubeadm", "kubelet", "kubectl"} {
		l.copied("usr/bin/"+p, b.programs[p], 0o755)
	}
}

// addLinks enables and masks units and puts Debian's CNI plugins where
// containerd looks for them.
func addLinks(l *layer) {
	const units = "etc/systemd/system/"
	for _, unit := range []string{"kubelet", "containerd", "undo-mount-hacks", "kube-router"} {
		l.link(units+"multi-user.target.wants/"+unit+".service", "/"+units+unit+".service")
	}
	// binfmt registrations are the kernel's, so the host's too.
	l.link(units+"systemd-binfmt.service", "/dev/null")
	for _, plugin := range []string{"bridge", "host-local", "loopback", "portmap", "ptp"} {
		l.link("opt/cni/bin/"+plugin, "/usr/lib/cni/"+plugin)
	}
}

// kindMode follows the Dockerfile of kind's base image: its scripts run, and
// nothing else does.
func kindMode(name string) int64 {
	if strings.HasPrefix(name, "usr/local/bin/") || strings.HasPrefix(name, "kind/bin/") {
		return 0o755
	}
	return 0o644
}

// containerSpec is what containerd starts each container from: its default,
// with kind's hook, and without limits that a nested container may not set.
func (b *build) containerSpec(ctx context.Context) ([]byte, error) {
	out, err := output(exec.CommandContext(ctx, b.programs["ctr"], "oci", "spec"))
	if err != nil {
		return nil, fmt.Errorf("asking containerd for its default container: %w", err)
	}
	return nodeSpec(out)
}

func nodeSpec(defaults []byte) ([]byte, error) {
	var spec map[string]any
	if err := json.Unmarshal(defaults, &spec); err != nil {
		return nil, fmt.Errorf("parsing containerd's default container: %w", err)
	}
	if process, ok := spec["process"].(map[string]any); ok {
		delete(process, "rlimits")
	}
	hooks, _ := spec["hooks"].(map[string]any)
	if hooks == nil {
		hooks = map[string]any{}
	}
	created, _ := hooks["createContainer"].([]any)
	hooks["createContainer"] = append(created, map[string]any{"path": "/kind/bin/mount-product-files.sh"})
	spec["hooks"] = hooks
	return json.MarshalIndent(spec, "", "  ")
}

// assemble makes an image for this platform out of layers.
func assemble(config v1.Config, layers ...v1.Layer) (v1.Image, error) {
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		Architecture: runtime.GOARCH, OS: "linux", Config: config, RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, fmt.Errorf("configuring an image: %w", err)
	}
	image, err = mutate.AppendLayers(image, layers...)
	if err != nil {
		return nil, fmt.Errorf("putting layers into an image: %w", err)
	}
	return image, nil
}

// load streams an image into the engine's storage under a name.
func (b *build) load(ctx context.Context, image v1.Image, reference string) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("naming an image: %w", err)
	}
	archive, w := io.Pipe()
	go func() { w.CloseWithError(tarball.Write(tag, image, w)) }()
	defer archive.Close()
	if err := b.engine.Run(ctx, archive, nil, "load"); err != nil {
		return fmt.Errorf("loading %s: %w", reference, err)
	}
	return nil
}
