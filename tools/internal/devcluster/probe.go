package devcluster

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
)

// host is what this machine is and allows, found out without changing it.
type host struct {
	// debian tells that apt-get and debootstrap are at home here.
	debian, root bool
	// engines that are installed; a nil error means that one answers.
	engines map[engine]error
	// capabilities is the process's effective set, bit by bit as in
	// capabilities(7); without /proc (another system runs the engine in a
	// machine of its own) all are taken as given.
	capabilities uint64
	// files and processes are the hard limits; unlimited is the largest number.
	files, processes uint64
	cgroup           int
	systemd, modules bool
	commands         map[string]bool
	// netavark is podman's network helper, which is not on PATH.
	netavark bool
	// keyring tells that Debian's keys are there, by which its packages are verified.
	keyring bool
}

// The capabilities that matter here, by their number in capabilities(7).
const (
	capSysAdmin    = 21
	capSysResource = 24
)

// registryProbe is asked whether images can be pulled at all; any answer of
// a registry will do. It is the registry of kind's published images.
const registryProbe = "https://registry-1.docker.io/v2/"

func probe(ctx context.Context) host {
	root := os.DirFS("/")
	h := host{
		debian:       isDebian(root),
		root:         os.Geteuid() == 0,
		engines:      map[engine]error{},
		capabilities: capabilities(root),
		files:        limit(unix.RLIMIT_NOFILE),
		processes:    limit(unix.RLIMIT_NPROC),
		cgroup:       cgroupVersion(root),
		systemd:      exists(root, "run/systemd/system"),
		modules:      exists(root, "lib/modules"),
		commands:     map[string]bool{},
		netavark:     exists(root, "usr/lib/podman/netavark") || exists(root, "usr/libexec/podman/netavark"),
		keyring:      exists(root, strings.TrimPrefix(nodeimage.Keyring, "/")),
	}
	for _, e := range engines() {
		if installed, err := e.answers(ctx); installed {
			h.engines[e] = err
		}
	}
	for _, c := range []string{"go", "debootstrap", "gpgv", "tar", "runc", "iptables", "apt-get"} {
		h.commands[c] = onPath(c)
	}
	return h
}

func (h host) can(capability int) bool { return h.capabilities&(1<<capability) != 0 }

// engine is the one asked for if it answers, else the first that answers.
func (h host) engine(wanted string) (engine, bool) {
	for _, e := range engines() {
		err, installed := h.engines[e]
		if installed && err == nil && (wanted == "" || wanted == string(e)) {
			return e, true
		}
	}
	return "", false
}

// answersHTTP tells whether a registry is behind a URL, however it answers.
func answersHTTP(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4096))
	return response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized
}
