package nodeimage

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

// entries are an archive's headers by name.
func entries(t *testing.T, r io.Reader) map[string]*tar.Header {
	t.Helper()
	found := map[string]*tar.Header{}
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		found[cleanName(h.Name)] = h
	}
}

func TestLayer(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "in/bin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in/bin/x"), []byte("x"), 0o600))
	l := newLayer(filepath.Join(dir, "layer.tar"))
	l.folder("etc")
	l.bytes("etc/a", []byte("a"))
	l.link("etc/b", "a")
	l.tree("usr", filepath.Join(dir, "in"), func(string) int64 { return 0o755 })
	layer, err := l.finish(fast)
	require.NoError(t, err)

	image, err := assemble(v1.Config{StopSignal: "SIGRTMIN+3"}, layer)
	require.NoError(t, err)
	found := entries(t, mutate.Extract(image))
	require.Len(t, found, 4)
	require.EqualValues(t, 0o755, found["usr/bin/x"].Mode, "the host's own mode does not matter")
	require.Equal(t, "a", found["etc/b"].Linkname)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "SIGRTMIN+3", config.Config.StopSignal)
}

func TestLayerKeepsItsFirstError(t *testing.T) {
	dir := t.TempDir()
	l := newLayer(filepath.Join(dir, "layer.tar"))
	l.copied("x", filepath.Join(dir, "none"), 0o755)
	l.bytes("y", []byte("y"))
	_, err := l.finish(stored)
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = newLayer(filepath.Join(dir, "no", "folder")).finish(stored)
	require.ErrorIs(t, err, os.ErrNotExist)
}

const status = `Package: iptables
Status: install ok installed
Depends: libxtables12 (= 1.8.9-2), libc6 (>= 2.34), netbase | other
Description: tools
 Depends: nothing (this is prose)

Package: libxtables12
Pre-Depends: libc6:amd64

Package: unrelated
Depends: systemd
`

func TestClosure(t *testing.T) {
	packages := closure([]byte(status), []string{"iptables"})
	slices.Sort(packages)
	require.Equal(t, []string{"iptables", "libc6", "libxtables12", "netbase"}, packages)
}

func FuzzClosure(f *testing.F) {
	f.Add([]byte(status))
	f.Fuzz(func(_ *testing.T, status []byte) { closure(status, []string{"iptables"}) })
}

func TestProxyTools(t *testing.T) {
	dir := t.TempDir()
	system := filepath.Join(dir, "rootfs.tar")
	l := newLayer(system)
	l.link("./lib", "usr/lib")
	l.folder("./usr/sbin")
	l.bytes("./var/lib/dpkg/status", []byte(status))
	l.bytes("./var/lib/dpkg/info/iptables.list", []byte("/.\n/usr/sbin\n/usr/sbin/xtables\n"))
	l.bytes("./var/lib/dpkg/info/libc6:amd64.list", []byte("/lib/libc.so.6\n"))
	l.bytes("./usr/sbin/xtables", []byte("x"))
	l.bytes("./usr/lib/libc.so.6", []byte("c"))
	l.bytes("./usr/lib/other", []byte("o"))
	l.link("./usr/sbin/iptables", "/etc/alternatives/iptables")
	l.link("./etc/alternatives/iptables", "/usr/sbin/xtables")
	_, err := l.finish(stored)
	require.NoError(t, err)

	b := &build{rootfs: system, dir: filepath.Join(dir, "scratch")}
	layer, err := b.proxyTools()
	require.NoError(t, err)
	r, err := layer.Uncompressed()
	require.NoError(t, err)
	defer r.Close()
	found := entries(t, r)
	for _, name := range []string{"lib", "usr/sbin/xtables", "usr/lib/libc.so.6", "usr/sbin/iptables", "etc/alternatives/iptables"} {
		require.Contains(t, found, name)
	}
	require.NotContains(t, found, "usr/lib/other")
	require.NotContains(t, found, "var/lib/dpkg/status")

	_, err = readSystem(filepath.Join(dir, "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(system, bytes.Repeat([]byte("no tar"), 200), 0o644))
	_, err = b.proxyTools()
	require.ErrorContains(t, err, "reading the node's system")
}
