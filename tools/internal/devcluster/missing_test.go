package devcluster

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// good is a Debian host that lacks nothing.
func good() host {
	return host{
		debian: true, root: true, cgroup: 2, systemd: true, modules: true, netavark: true, keyring: true,
		capabilities: ^uint64(0), files: 1 << 20, processes: 1 << 20,
		engines:  map[engine]error{podman: nil},
		commands: map[string]bool{"go": true, "debootstrap": true, "gpgv": true, "tar": true, "runc": true, "iptables": true, "apt-get": true},
	}
}

func TestMissing(t *testing.T) {
	tests := map[string]struct {
		change func(*host)
		engine string
		source bool
		want   []string // parts of the list; empty means that nothing is missing
	}{
		"nothing":                 {change: func(*host) {}, source: true},
		"no engine":               {change: func(h *host) { h.engines = nil }, want: []string{"- a running container engine", "apt-get install -y podman"}},
		"another engine":          {change: func(*host) {}, engine: "docker", want: []string{"the container engine docker"}},
		"a daemon that is down":   {change: func(h *host) { h.engines = map[engine]error{docker: errors.New("refused")} }, want: []string{"docker is installed but does not work: refused"}},
		"podman without networks": {change: func(h *host) { h.netavark = false }, want: []string{"podman's networks"}},
		"a tight container":       {change: func(h *host) { h.capabilities = 0 }, want: []string{"CAP_SYS_ADMIN", "--privileged"}},
		"no root for source":      {change: func(h *host) { h.root = false }, source: true, want: []string{"- root, for"}},
		"no root, published":      {change: func(h *host) { h.root = false }},
		"no Go":                   {change: func(h *host) { h.commands["go"] = false }, source: true, want: []string{"go.dev/dl"}},
		"no debootstrap":          {change: func(h *host) { h.commands["debootstrap"] = false }, source: true, want: []string{"apt-get install -y debootstrap"}},
		"no keys of Debian": {change: func(h *host) { h.keyring = false }, source: true,
			want: []string{"verified (/usr/share/keyrings/debian-archive-keyring.gpg)", "debian-archive-keyring"}},
		"no keys, published": {change: func(h *host) { h.keyring = false }},
		"no gpgv":            {change: func(h *host) { h.commands["gpgv"] = false }, source: true, want: []string{"- gpgv, for", "apt-get install -y debootstrap"}},
		"not Debian": {change: func(h *host) { h.debian, h.commands["debootstrap"] = false, false }, source: true,
			want: []string{"- debootstrap, for", "install debootstrap and debian-archive-keyring"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := good()
			test.change(&h)
			o := Options{Engine: test.engine}
			list := h.missing(o, test.source)
			if len(test.want) == 0 {
				require.Empty(t, list)
				return
			}
			err := h.provide(t.Context(), o, list)
			missing, ok := IsMissing(err)
			require.True(t, ok, "without leave to install, the list is the answer")
			require.NotEmpty(t, missing.Missing)
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestProvideRefuses(t *testing.T) {
	list := []Missing{{What: "x", Packages: []string{"x"}}}
	h := good()
	h.root = false
	_, ok := IsMissing(h.provide(t.Context(), Options{AllowInstall: true}, list))
	require.True(t, ok, "only root installs")

	list = append(list, Missing{What: "Go", Get: "by hand"})
	_, ok = IsMissing(good().provide(t.Context(), Options{AllowInstall: true}, list))
	require.True(t, ok, "nothing is installed when something would be missing still")
	require.NoError(t, good().provide(t.Context(), Options{}, nil))
}
