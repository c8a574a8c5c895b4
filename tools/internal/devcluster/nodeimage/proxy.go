package nodeimage

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// proxyPackages are what kube-proxy calls; what they depend on follows.
func proxyPackages() []string { return []string{"iptables", "nftables", "conntrack"} }

// proxyTools is a layer with kube-proxy's tools, taken out of the node's
// system by Debian's own file lists: the whole system would be in the node
// twice.
func (b *build) proxyTools() (v1.Layer, error) {
	lists, err := readSystem(b.rootfs, func(name string) bool {
		return name == "var/lib/dpkg/status" || strings.HasPrefix(name, "var/lib/dpkg/info/") && strings.HasSuffix(name, ".list")
	})
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, p := range closure(lists["var/lib/dpkg/status"], proxyPackages()) {
		for _, file := range ownFiles(lists, p) {
			wanted[file] = true
		}
	}
	file, err := b.scratch("proxy.tar")
	if err != nil {
		return nil, err
	}
	if err := extract(b.rootfs, file, wanted); err != nil {
		return nil, err
	}
	return fileLayer(file, fast)
}

// keep says what of the system goes to the proxy: wanted files, the links
// that merge /usr, and those by which Debian chooses among alternatives.
func keep(h *tar.Header, wanted map[string]bool) bool {
	name := cleanName(h.Name)
	if h.Typeflag == tar.TypeSymlink && (!strings.Contains(name, "/") || strings.HasPrefix(name, "etc/alternatives/")) {
		return true
	}
	if h.Typeflag == tar.TypeSymlink && strings.HasPrefix(h.Linkname, "/etc/alternatives/") {
		return true
	}
	return wanted[name]
}

func cleanName(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
}

// readSystem reads the chosen files of a tar into memory.
func readSystem(archive string, chosen func(name string) bool) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := eachEntry(archive, func(h *tar.Header, r io.Reader) error {
		if !chosen(cleanName(h.Name)) {
			return nil
		}
		content, err := io.ReadAll(r)
		found[cleanName(h.Name)] = content
		return err
	})
	return found, err
}

// extract copies what [keep] chooses from one tar to another.
func extract(from, to string, wanted map[string]bool) error {
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("making kube-proxy's layer: %w", err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	err = eachEntry(from, func(h *tar.Header, r io.Reader) error {
		if !keep(h, wanted) {
			return nil
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.Copy(w, r)
		return err
	})
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("making kube-proxy's layer: %w", err)
	}
	return nil
}

func eachEntry(archive string, visit func(*tar.Header, io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("opening the node's system: %w", err)
	}
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the node's system %s: %w", archive, err)
		}
		if err := visit(h, r); err != nil {
			return fmt.Errorf("reading %s of the node's system: %w", h.Name, err)
		}
	}
}
