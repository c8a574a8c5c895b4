package nodeimage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/strake-dev/strake/tools/internal/cache"
)

// suite is the Debian release that the node's system is made from, and
// debianMirror where its packages are found when the host does not say.
const (
	suite        = "bookworm"
	debianMirror = "https://deb.debian.org/debian"
)

// Keyring is the file of the package debian-archive-keyring by which debootstrap
// verifies what a mirror serves.
const Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// packages are what systemd, the kubelet, containerd and kind's scripts call.
func packages() []string {
	return []string{
		"systemd", "systemd-sysv", "dbus", // init
		"conntrack", "iptables", "nftables", "ipset", "iproute2", "ethtool", "socat", // network
		"mount", "kmod", "e2fsprogs", "libseccomp2", "runc", "containernetworking-plugins", // containers
		"ca-certificates", "curl", "jq", "pigz", "procps", // kind's scripts
	}
}

// excluded are what the node does without: units that make no sense in a
// container (the list that kind's own base image removes), and what nobody
// reads there. They are patterns of tar.
func excluded() []string {
	return []string{
		"./lib/systemd/system/*.wants/systemd-tmpfiles-setup.service",
		"./lib/systemd/system/multi-user.target.wants/*",
		"./lib/systemd/system/local-fs.target.wants/*",
		"./lib/systemd/system/basic.target.wants/*",
		"./lib/systemd/system/sockets.target.wants/*udev*",
		"./lib/systemd/system/sockets.target.wants/*initctl*",
		"./etc/systemd/system/*.wants/*",
		"./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*",
		"./var/cache/apt/*", "./var/lib/apt/lists/*", "./var/log/*",
		"./etc/apt/sources.list", "./etc/resolv.conf", "./etc/hostname", "./etc/machine-id",
		"./dev/*", "./proc/*", "./sys/*", "./run/*", "./tmp/*",
	}
}

// systemPatterns are the excluded patterns as they apply to the folder that
// debootstrap fills, where /lib is a link to /usr/lib.
func systemPatterns() []string {
	var patterns []string
	for _, p := range excluded() {
		p = strings.Replace(p, "./lib/", "./usr/lib/", 1)
		patterns = append(patterns, "--exclude="+p)
	}
	return patterns
}

// installSystem sets b.rootfs to a tar of the node's system without kind's or
// Kubernetes' parts, from the cache where it can.
func (b *build) installSystem(ctx context.Context) error {
	key := hash(append(append([]string{suite, layout}, packages()...), excluded()...)...)
	dir, err := cache.Use(ctx, SystemCache, key, func(dir string) error { return b.debootstrap(ctx, dir) }, (*cache.Entry).Whole)
	if err != nil {
		return err
	}
	b.rootfs = filepath.Join(dir, "rootfs.tar")
	return nil
}

func (b *build) debootstrap(ctx context.Context, dir string) error {
	tree := filepath.Join(dir, "tree")
	mirror := b.mirror
	if mirror == "" {
		mirror = hostMirror(os.DirFS("/"))
	}
	if out, err := output(debootstrapCommand(ctx, tree, mirror)); err != nil {
		return fmt.Errorf("installing Debian %s from %s: %w: %s%s", suite, mirror, err, tail(out), signatureRemedy(err.Error()+string(out)))
	}
	args := append([]string{"-C", tree, "--numeric-owner", "--sort=name"}, systemPatterns()...)
	pack := exec.CommandContext(ctx, "tar", append(args, "-cf", filepath.Join(dir, "rootfs.tar"), ".")...)
	if _, err := output(pack); err != nil {
		return fmt.Errorf("packing the node's system: %w", err)
	}
	return os.RemoveAll(tree)
}

// debootstrapCommand fills the folder tree. It runs in a mount namespace of its
// own: what it mounts below tree cannot outlive it, and so cannot be in the way of
// removing tree. Without a keyring debootstrap only warns and installs what the
// mirror serves, which may be plain HTTP, as root; so the check is forced.
func debootstrapCommand(ctx context.Context, tree, mirror string) *exec.Cmd {
	return exec.CommandContext(ctx, "unshare", "--mount", "debootstrap", "--variant=minbase",
		"--force-check-gpg", "--keyring="+Keyring, "--include="+strings.Join(packages(), ","), suite, tree, mirror)
}

// signatureRemedy is what to do if what debootstrap wrote is about signatures;
// else it is empty.
func signatureRemedy(said string) string {
	for _, about := range []string{"check Release signature", "Invalid Release signature", "Release signed", "keyring file"} {
		if strings.Contains(said, about) {
			return "; Debian did not sign what this mirror serves, or the keys are too old: install the newest " +
				"debian-archive-keyring, or name another mirror of Debian first in /etc/apt/sources.list"
		}
	}
	return ""
}

// hostMirror is the Debian mirror that the host's apt uses, since a host
// behind a firewall reaches that one; else Debian's own.
func hostMirror(root fs.FS) string {
	files, _ := fs.Glob(root, "etc/apt/sources.list.d/*.sources")
	lists, _ := fs.Glob(root, "etc/apt/sources.list.d/*.list")
	files = append(append(files, "etc/apt/sources.list"), lists...)
	for _, name := range files {
		f, err := root.Open(name)
		if err != nil {
			continue
		}
		mirror := mirrorIn(f)
		_ = f.Close()
		if mirror != "" {
			return mirror
		}
	}
	return debianMirror
}

// mirrorIn finds the first URL of an apt source file, in either format, that
// ends in /debian: what else is listed there holds other packages.
func mirrorIn(r io.Reader) string {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || (words[0] != "URIs:" && words[0] != "deb") {
			continue
		}
		for _, word := range words[1:] {
			url := strings.TrimSuffix(word, "/")
			if strings.HasPrefix(url, "http") && strings.HasSuffix(url, "/debian") {
				return url
			}
		}
	}
	return ""
}
