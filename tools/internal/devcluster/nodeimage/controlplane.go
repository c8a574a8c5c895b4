package nodeimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// assembleImages writes the control plane's images to one archive, under the
// names by which kubeadm asks for them.
func (b *build) assembleImages(ctx context.Context) error {
	references, err := b.requiredImages(ctx)
	if err != nil {
		return err
	}
	images := map[name.Tag]v1.Image{}
	for _, reference := range references {
		tag, err := name.NewTag(reference)
		if err != nil {
			return fmt.Errorf("reading an image name of kubeadm's list: %w", err)
		}
		if images[tag], err = b.programImage(path.Base(tag.RepositoryStr())); err != nil {
			return err
		}
	}
	if b.images, err = b.scratch("images.tar"); err != nil {
		return err
	}
	if err := tarball.MultiWriteToFile(b.images, images); err != nil {
		return fmt.Errorf("writing the control plane's images: %w", err)
	}
	return nil
}

// requiredImages are kubeadm's list with the sandbox image that containerd
// is told to use by kind's configuration.
func (b *build) requiredImages(ctx context.Context) ([]string, error) {
	out, err := output(exec.CommandContext(ctx, b.programs["kubeadm"], "config", "images", "list",
		"--kubernetes-version", b.versions["kubernetes"]))
	if err != nil {
		return nil, fmt.Errorf("listing the images of kubeadm: %w", err)
	}
	config, err := os.ReadFile(path.Join(b.kind, "etc", "containerd", "config.toml"))
	if err != nil {
		return nil, fmt.Errorf("reading kind's containerd configuration: %w", err)
	}
	sandbox, err := sandboxImage(string(config))
	if err != nil {
		return nil, err
	}
	references := []string{sandbox}
	for _, reference := range strings.Fields(string(out)) {
		if !strings.Contains(reference, "/pause:") {
			references = append(references, reference)
		}
	}
	return references, nil
}

// sandboxImage finds sandbox_image in containerd's configuration, by line:
// the key appears once, and no TOML library knows more of it.
func sandboxImage(config string) (string, error) {
	for line := range strings.Lines(config) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.TrimSpace(key) == "sandbox_image" {
			return strings.Trim(strings.TrimSpace(value), `"`), nil
		}
	}
	return "", errors.New("kind's containerd configuration names no sandbox_image")
}

// programImage holds one program, on what it needs: kube-proxy calls iptables,
// the others stand alone. Its name is the last part of the image's.
func (b *build) programImage(name string) (v1.Image, error) {
	program := b.programs[programOf(name)]
	if program == "" {
		return nil, fmt.Errorf("kubeadm requires the image %s, which modules/ does not build: add its command there", name)
	}
	file, err := b.scratch(name + ".tar")
	if err != nil {
		return nil, err
	}
	l := newLayer(file)
	l.copied("usr/local/bin/"+name, program, 0o755)
	layers := make([]v1.Layer, 1, 2)
	if layers[0], err = l.finish(fast); err != nil {
		return nil, err
	}
	if name == "kube-proxy" {
		tools, err := b.proxyTools()
		if err != nil {
			return nil, err
		}
		layers = append([]v1.Layer{tools}, layers...)
	}
	return assemble(v1.Config{
		Entrypoint: []string{"/usr/local/bin/" + name},
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}, layers...)
}

// programOf is the command behind an image: etcd's is called server.
func programOf(image string) string {
	if image == "etcd" {
		return "server"
	}
	return image
}
