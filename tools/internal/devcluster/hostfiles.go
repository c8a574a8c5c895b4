package devcluster

import (
	"bufio"
	"io/fs"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}

// isDebian reads os-release(5): Debian, or what calls itself like it.
func isDebian(root fs.FS) bool {
	f, err := root.Open("etc/os-release")
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		if key != "ID" && key != "ID_LIKE" {
			continue
		}
		for _, id := range strings.Fields(strings.Trim(value, `"'`)) {
			if id == "debian" {
				return true
			}
		}
	}
	return false
}

func capabilities(root fs.FS) uint64 {
	status, err := fs.ReadFile(root, "proc/self/status")
	if err != nil {
		return ^uint64(0)
	}
	return effectiveCapabilities(string(status))
}

// effectiveCapabilities reads CapEff of /proc/PID/status, 16 hexadecimal
// digits; without it nothing is known to be missing.
func effectiveCapabilities(status string) uint64 {
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		if key != "CapEff" {
			continue
		}
		if set, err := strconv.ParseUint(strings.TrimSpace(value), 16, bits.UintSize); err == nil {
			return set
		}
	}
	return ^uint64(0)
}

// limit is a hard limit of this process; those of its containers start from it.
func limit(resource int) uint64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(resource, &l); err != nil {
		return ^uint64(0)
	}
	return l.Max
}

// cgroupVersion is 2 where the unified hierarchy is mounted, 1 where only the
// old one is, 0 where there is neither, as on systems that are not Linux.
func cgroupVersion(root fs.FS) int {
	switch {
	case exists(root, "sys/fs/cgroup/cgroup.controllers"):
		return 2
	case exists(root, "sys/fs/cgroup"):
		return 1
	default:
		return 0
	}
}
