package platform

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/strake-dev/strake/tools/internal/cache"
)

// place is a folder and the bytes that are free on its disk.
type place struct {
	dir  string
	free uint64
}

// freeSpace is that of the disks that hold the caches, each disk once.
func freeSpace(ctx context.Context) ([]place, error) {
	own, err := cache.Dir()
	if err != nil {
		return nil, err
	}
	var places []place
	var disks []uint64
	for _, dir := range append([]string{own}, goCaches(ctx)...) {
		at := existing(dir)
		info, err := os.Stat(at)
		if err != nil {
			return nil, fmt.Errorf("looking for free space at %s: %w", at, err)
		}
		disk := info.Sys().(*syscall.Stat_t).Dev
		if slices.Contains(disks, disk) {
			continue
		}
		var fs syscall.Statfs_t
		if err := syscall.Statfs(at, &fs); err != nil {
			return nil, fmt.Errorf("looking for free space at %s: %w", at, err)
		}
		disks = append(disks, disk)
		places = append(places, place{dir, fs.Bavail * uint64(fs.Bsize)})
	}
	return places, nil
}

// goCaches are Go's caches, or none without Go.
func goCaches(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}

// existing is dir, or the nearest folder above it that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// freeMemory is what programs can get without swapping, by /proc/meminfo of Linux.
func freeMemory() (free uint64, known bool) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(data) {
		var kilobytes uint64
		if n, _ := fmt.Sscanf(string(line), "MemAvailable: %d kB", &kilobytes); n == 1 {
			return kilobytes * 1024, true
		}
	}
	return 0, false
}
