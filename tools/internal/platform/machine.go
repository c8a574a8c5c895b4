package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dustin/go-humanize"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/gotool"
)

// place is a disk on which something is to be written.
type place struct {
	// dir is the first folder that is on it.
	dir  string
	free uint64
	need uint64
	// uses are the parts of need, for people.
	uses []string
}

// whatFor is what the space is required for, in parentheses.
func (p place) whatFor() string {
	if len(p.uses) == 0 {
		return ""
	}
	return " (" + strings.Join(p.uses, ", ") + ")"
}

// freeSpace is that of the disks that hold the caches, with what is required there.
func freeSpace(need Disk, caches gotool.Caches) ([]place, error) {
	own, err := cache.Dir()
	if err != nil {
		return nil, err
	}
	var places []place
	byDisk := map[uint64]int{}
	for _, use := range []struct {
		dir  string
		size uint64
		what string
	}{
		{own, need.Build, "compiled packages, removed at the end"},
		{own, need.Images, "images"},
		{own, need.Cluster, "a cluster"},
		{caches.Modules, need.Modules, "Go modules"},
	} {
		if use.dir == "" {
			continue
		}
		at := existing(use.dir)
		info, err := os.Stat(at)
		if err != nil {
			return nil, fmt.Errorf("looking for free space at %s: %w", at, err)
		}
		disk := uint64(info.Sys().(*syscall.Stat_t).Dev) //nolint:unconvert // it is an int32 elsewhere
		i, known := byDisk[disk]
		if !known {
			var fs syscall.Statfs_t
			if err := syscall.Statfs(at, &fs); err != nil {
				return nil, fmt.Errorf("looking for free space at %s: %w", at, err)
			}
			i = len(places)
			byDisk[disk] = i
			places = append(places, place{dir: use.dir, free: fs.Bavail * uint64(fs.Bsize)})
		}
		places[i].need += use.size
		if use.size > 0 {
			places[i].uses = append(places[i].uses, humanize.Bytes(use.size)+" for "+use.what)
		}
	}
	return places, nil
}

// goCaches are Go's caches, or none without Go.
func goCaches(ctx context.Context) (gotool.Caches, error) {
	caches, err := gotool.FindCaches(ctx)
	if errors.Is(err, gotool.ErrMissing) {
		return gotool.Caches{}, nil
	}
	return caches, err
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
