package nodeimage

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// module is one of the embedded modules whose tool directives are the
// commands that go into the image.
type module struct {
	// name is the file's, below modules/; upstream is the required module
	// whose version counts.
	name, upstream string
}

func modules() []module {
	return []module{
		{"kubernetes", "k8s.io/kubernetes"},
		{"containerd", "github.com/containerd/containerd/v2"},
		{"etcd", "go.etcd.io/etcd/server/v3"},
		{"coredns", "github.com/coredns/coredns"},
		{"kube-router", "github.com/cloudnativelabs/kube-router/v2"},
	}
}

func parseModule(name string) (*modfile.File, error) {
	path := "modules/" + name + ".mod"
	content, err := inputs.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded module %s: %w", path, err)
	}
	file, err := modfile.Parse(path, content, nil)
	if err != nil {
		return nil, fmt.Errorf("parsing the embedded module %s: %w", path, err)
	}
	return file, nil
}

func writeModule(dir, name string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	for _, ext := range []string{"mod", "sum"} {
		content, err := inputs.ReadFile("modules/" + name + "." + ext)
		if err != nil {
			return fmt.Errorf("reading the embedded module %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "go."+ext), content, 0o644); err != nil {
			return fmt.Errorf("writing the module %s: %w", name, err)
		}
	}
	return nil
}

func requiredVersion(file *modfile.File, upstream string) string {
	for _, r := range file.Require {
		if r.Mod.Path == upstream {
			return r.Mod.Version
		}
	}
	return ""
}

func toolPaths(file *modfile.File) []string {
	var paths []string
	for _, t := range file.Tool {
		paths = append(paths, t.Path)
	}
	return paths
}

// commandName is the name that go build gives a command: the last element of
// its path, or the one before a major version.
func commandName(importPath string) string {
	dir, last := path.Split(importPath)
	if len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		return path.Base(dir)
	}
	return last
}

// linkerFlags tell Kubernetes its version, without which kubeadm refuses to
// work: it is no part of the source.
func linkerFlags(m module, version string) string {
	flags := "-s -w"
	if m.name != "kubernetes" {
		return flags
	}
	numbers := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	const component, client = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
	return flags + fmt.Sprintf(" -X %[1]s.gitVersion=%[3]s -X %[2]s.gitVersion=%[3]s -X %[1]s.gitMajor=%[4]s -X %[1]s.gitMinor=%[5]s",
		component, client, version, numbers[0], numbers[1])
}
