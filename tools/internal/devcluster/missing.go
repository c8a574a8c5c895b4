package devcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// Missing is one thing that the machine lacks.
type Missing struct {
	// What is missing and Why it is needed, as parts of one sentence.
	What, Why string
	// Get is the way to it: a command or an advice.
	Get string
	// Packages are the Debian packages that provide it; empty when none does.
	Packages []string
}

// MissingError lists all that must be there before a cluster can start.
type MissingError struct {
	Missing []Missing
}

// Error is the list, one line each, with the way out of each.
func (e *MissingError) Error() string {
	var b strings.Builder
	b.WriteString("a development cluster requires software that this machine lacks:")
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "\n  - %s, for %s\n      %s", m.What, m.Why, m.Get)
	}
	return b.String()
}

// enginePackages make podman a kind provider on Debian: its own dependencies
// leave out what it builds networks with. sourcePackages are what an image
// from source needs beside Go.
func enginePackages() []string {
	return []string{"podman", "netavark", "aardvark-dns", "runc", "iptables"}
}
func sourcePackages() []string {
	return []string{"debootstrap", "debian-archive-keyring", "gpgv", "tar"}
}

// missing compares the host with what the options ask for.
func (h host) missing(o Options, source bool) []Missing {
	var list []Missing
	e, ok := h.engine(o.Engine)
	if !ok {
		list = append(list, h.missingEngine(o.Engine))
	}
	if ok && e == podman && h.debian && h.root && (!h.commands["iptables"] || !h.netavark) {
		list = append(list, Missing{What: "netavark or iptables", Why: "podman's networks",
			Get: aptCommand(enginePackages()), Packages: enginePackages()})
	}
	if !h.can(capSysAdmin) && h.root {
		list = append(list, Missing{What: "the capability CAP_SYS_ADMIN", Why: "the mounts of a node",
			Get: "run the surrounding container with --privileged, or work on the machine itself"})
	}
	if source {
		list = append(list, h.missingForSource()...)
	}
	return list
}

func (h host) missingEngine(wanted string) Missing {
	m := Missing{What: "a running container engine", Why: "kind's nodes", Get: "install docker, podman or nerdctl"}
	if wanted != "" {
		m.What = "the container engine " + wanted
	}
	for _, e := range engines() {
		if err := h.engines[e]; err != nil && (wanted == "" || wanted == string(e)) {
			m.What += fmt.Sprintf(" (%s is installed but does not work: %v)", e, err)
			m.Get = "start it, or install another"
		}
	}
	if h.debian && (wanted == "" || wanted == string(podman)) {
		m.Packages = enginePackages()
		m.Get = aptCommand(m.Packages)
	}
	return m
}

func (h host) missingForSource() []Missing {
	const why = "a node image from source (kind's published image cannot be pulled from here)"
	var list []Missing
	if !h.root {
		list = append(list, Missing{What: "root", Why: why, Get: "run this as root, or give access to the registry docker.io"})
	}
	if !h.commands["go"] {
		list = append(list, Missing{What: "the go command", Why: why, Get: "install Go from https://go.dev/dl/"})
	}
	absent := slices.DeleteFunc([]string{"debootstrap", "gpgv", "tar"}, func(c string) bool { return h.commands[c] })
	if !h.keyring {
		absent = append(absent, "the keys by which Debian's packages are verified ("+nodeimage.Keyring+")")
	}
	if len(absent) == 0 {
		return list
	}
	m := Missing{What: strings.Join(absent, ", "), Why: why, Get: "install debootstrap and debian-archive-keyring, or name a node image"}
	if h.debian {
		m.Packages, m.Get = sourcePackages(), aptCommand(sourcePackages())
	}
	return append(list, m)
}

func aptCommand(packages []string) string {
	return "apt-get update && apt-get install -y " + strings.Join(packages, " ")
}

// provide installs what is missing, if that is allowed and enough, and
// otherwise answers with the whole list as a [*MissingError].
func (h host) provide(ctx context.Context, o Options, list []Missing) error {
	if len(list) == 0 {
		return nil
	}
	packages, ok := h.installable(o, list)
	if !ok {
		return &MissingError{Missing: list}
	}
	return aptInstall(ctx, packages)
}

// installable are the Debian packages that provide all that is missing, and whether
// they may be installed.
func (h host) installable(o Options, list []Missing) (packages []string, ok bool) {
	for _, m := range list {
		if len(m.Packages) == 0 || !o.AllowInstall || !h.root || !h.commands["apt-get"] {
			return nil, false
		}
		packages = append(packages, m.Packages...)
	}
	return slices.Compact(packages), true
}

func aptInstall(ctx context.Context, packages []string) error {
	progress.From(ctx).Step("installing %s", strings.Join(packages, ", "))
	update := exec.CommandContext(ctx, "apt-get", "update", "-qq")
	install := exec.CommandContext(ctx, "apt-get", append([]string{"install", "-y", "-qq"}, packages...)...)
	for _, cmd := range []*exec.Cmd{update, install} {
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("running %s (run it by hand to see more): %w: %s", strings.Join(cmd.Args, " "), err, lastLine(out))
		}
	}
	return nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// IsMissing tells whether err is a [*MissingError], and answers with it.
func IsMissing(err error) (*MissingError, bool) {
	var m *MissingError
	return m, errors.As(err, &m)
}
