package nodeimage

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

func TestMirror(t *testing.T) {
	tests := map[string]struct {
		file, content, want string
	}{
		"deb822": {"etc/apt/sources.list.d/debian.sources",
			"Types: deb\n# http://snapshot.example/debian\nURIs: http://deb.example/debian\nSuites: bookworm\n\nURIs: http://deb.example/debian-security\n", "http://deb.example/debian"},
		"one line":   {"etc/apt/sources.list", "# old\ndeb [signed-by=/x] https://deb.example/debian/ bookworm main\n", "https://deb.example/debian"},
		"a vendor's": {"etc/apt/sources.list.d/vendor.list", "deb https://vendor.example/apt stable main\n", debianMirror},
		"nothing":    {"etc/hostname", "x", debianMirror},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, hostMirror(fstest.MapFS{test.file: {Data: []byte(test.content)}}))
		})
	}
}

func FuzzMirror(f *testing.F) {
	f.Add("URIs: http://deb.example/debian\n")
	f.Fuzz(func(_ *testing.T, content string) { mirrorIn(strings.NewReader(content)) })
}

func TestCommandName(t *testing.T) {
	for path, want := range map[string]string{
		"k8s.io/kubernetes/cmd/kubelet": "kubelet",
		"go.etcd.io/etcd/server/v3":     "server",
		"example.org/v":                 "v",
		"example.org/v2x":               "v2x",
	} {
		require.Equal(t, want, commandName(path))
	}
}

// The embedded modules are data that other code relies on.
func TestModules(t *testing.T) {
	commands := map[string]bool{}
	for _, m := range modules() {
		file, err := parseModule(m.name)
		require.NoError(t, err)
		require.Regexp(t, `^v\d+\.\d+\.\d+$`, requiredVersion(file, m.upstream), m.name)
		for _, tool := range toolPaths(file) {
			commands[commandName(tool)] = true
		}
	}
	for _, c := range []string{"kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-controller-manager",
		"kube-scheduler", "kube-proxy", "containerd", "containerd-shim-runc-v2", "ctr", "server", "coredns", "kube-router"} {
		require.True(t, commands[c], c)
	}
	_, err := parseModule("none")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// kind's files in the node must be those of the library that starts the node.
func TestKindVersion(t *testing.T) {
	content, err := os.ReadFile("../../../../go.mod")
	require.NoError(t, err)
	root, err := modfile.Parse("go.mod", content, nil)
	require.NoError(t, err)
	embedded, err := parseModule("kind")
	require.NoError(t, err)
	const kind = "sigs.k8s.io/kind"
	require.Equal(t, requiredVersion(root, kind), requiredVersion(embedded, kind),
		"copy the version to modules/kind.mod and its two lines of go.sum to modules/kind.sum")
}

func TestLinkerFlags(t *testing.T) {
	flags := linkerFlags(module{"kubernetes", "k8s.io/kubernetes"}, "v1.34.4")
	require.Contains(t, flags, "-X k8s.io/component-base/version.gitVersion=v1.34.4")
	require.Contains(t, flags, "-X k8s.io/component-base/version.gitMajor=1")
	require.Contains(t, flags, "-X k8s.io/component-base/version.gitMinor=34")
	require.Equal(t, "-s -w", linkerFlags(module{"etcd", "x"}, "v3.6.16"))
}

func TestSandboxImage(t *testing.T) {
	image, err := sandboxImage("version = 2\n[x]\n  # sandbox_image = \"no\"\n  sandbox_image = \"registry.k8s.io/pause:3.10\"\n")
	require.NoError(t, err)
	require.Equal(t, "registry.k8s.io/pause:3.10", image)
	_, err = sandboxImage("version = 3\n")
	require.ErrorContains(t, err, "sandbox_image")
}

func FuzzSandboxImage(f *testing.F) {
	f.Add("sandbox_image = \"x\"")
	f.Fuzz(func(_ *testing.T, config string) { _, _ = sandboxImage(config) })
}

func TestNodeSpec(t *testing.T) {
	spec, err := nodeSpec([]byte(`{"process":{"rlimits":[1],"cwd":"/"},"hooks":{"createContainer":[{"path":"/a"}]}}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"process":{"cwd":"/"},"hooks":{"createContainer":[{"path":"/a"},{"path":"/kind/bin/mount-product-files.sh"}]}}`, string(spec))
	spec, err = nodeSpec([]byte(`{}`))
	require.NoError(t, err)
	require.Contains(t, string(spec), "createContainer")
	_, err = nodeSpec([]byte(`no`))
	require.ErrorContains(t, err, "default container")
}

func FuzzNodeSpec(f *testing.F) {
	f.Add([]byte(`{"hooks":null,"process":[]}`))
	f.Fuzz(func(_ *testing.T, defaults []byte) { _, _ = nodeSpec(defaults) })
}

func TestKindMode(t *testing.T) {
	require.EqualValues(t, 0o755, kindMode("usr/local/bin/entrypoint"))
	require.EqualValues(t, 0o755, kindMode("kind/bin/undo-mount-hacks.sh"))
	require.EqualValues(t, 0o644, kindMode("etc/containerd/config.toml"))
}
