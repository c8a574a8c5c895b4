package devcluster

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// envContainers names the file that replaces podman's configuration.
const envContainers = "CONTAINERS_CONF"

// prepareHost chooses an engine, installing one where it may, and adapts to
// what the machine allows.
func (s *session) prepareHost(ctx context.Context) error {
	s.host = probe(ctx)
	if len(s.host.missing(s.options, false)) > 0 {
		// What else will be missed belongs into the same list.
		list := s.host.missing(s.options, s.fromSource(ctx))
		if err := s.host.provide(ctx, s.options, list); err != nil {
			return err
		}
		s.host = probe(ctx)
	}
	e, ok := s.host.engine(s.options.Engine)
	if !ok {
		return &MissingError{Missing: s.host.missing(s.options, false)}
	}
	if err := s.use(e); err != nil {
		return err
	}
	progress.From(ctx).Step("%s", s.host.describe(e))
	return nil
}

// use settles on an engine. kind starts it by name and passes nothing on, so
// what it needs to know goes into this process's environment; this is the
// only place that writes there.
func (s *session) use(e engine) error {
	if err := s.host.adapt(e); err != nil {
		return err
	}
	s.engine, s.result.Engine = e, string(e)
	s.provider = cluster.NewProvider(e.provider())
	return nil
}

func (h host) adapt(e engine) error {
	if h.root && !h.modules && h.cgroup != 0 {
		// kind mounts the folder into its nodes; a kernel without modules has none.
		if err := os.MkdirAll("/lib/modules", 0o755); err != nil {
			return fmt.Errorf("making /lib/modules, which kind mounts: %w", err)
		}
	}
	if e != podman || !h.needsContainersConf() || os.Getenv(envContainers) != "" {
		return nil
	}
	file, err := cache.Dir("containers.conf")
	if err != nil {
		return err
	}
	if err := writeFile(file, h.containersConf()); err != nil {
		return fmt.Errorf("writing podman's configuration: %w", err)
	}
	return os.Setenv(envContainers, file)
}

// needsContainersConf is true where podman's defaults do not work: it asks
// systemd for cgroups and its journal for events, and raises limits. A person's own
// podman keeps its limit of processes: pids_limit in containers.conf(5).
func (h host) needsContainersConf() bool {
	return h.root && (!h.systemd || !h.can(capSysResource))
}

// containersConf is containers.conf(5) for this host.
func (h host) containersConf() string {
	var b strings.Builder
	b.WriteString("[engine]\n")
	if !h.systemd {
		b.WriteString("cgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n")
	}
	if h.commands["runc"] {
		b.WriteString("runtime = \"runc\"\n")
	}
	// podman's own limit is 2048 with all threads, which a node with a platform passes:
	// its programs then fail to start ("resource temporarily unavailable").
	b.WriteString("[containers]\npids_limit = 0\n")
	if !h.can(capSysResource) {
		fmt.Fprintf(&b, "default_ulimits = [%s]\n", strings.Join(h.ulimits(), ", "))
	}
	return b.String()
}

// podmanProcesses is what podman lowers its own limit of processes to where
// it may not raise it, and so the most that its containers can have.
const podmanProcesses = 32768

func (h host) ulimits() []string {
	var list []string
	for _, l := range []struct {
		name string
		hard uint64
	}{{"nofile", h.files}, {"nproc", min(h.processes, podmanProcesses)}} {
		if l.hard <= math.MaxInt64 { // unlimited needs no limit
			list = append(list, fmt.Sprintf("%q", fmt.Sprintf("%s=%d:%d", l.name, l.hard, l.hard)))
		}
	}
	return list
}

// describe is what was found out, in one line.
func (h host) describe(e engine) string {
	parts := []string{fmt.Sprintf("engine %s, cgroup v%d", e, h.cgroup)}
	if !h.can(capSysResource) {
		parts = append(parts, "no CAP_SYS_RESOURCE (the kubelet runs as in a user namespace)")
	}
	if !h.systemd {
		parts = append(parts, "no systemd")
	}
	return strings.Join(parts, ", ")
}

func writeFile(file, content string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o644)
}
