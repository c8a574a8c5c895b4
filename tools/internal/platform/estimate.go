package platform

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/image"
)

// What takes time beside compiling.
const (
	clusterTime = 2 * time.Minute  // a new cluster and its registry
	nodeTime    = time.Minute      // the node image beside its programs
	deployTime  = 30 * time.Second // a package that is installed, or deployed before
	// parallel is how much of a processor a compile uses on average: linking is one thread.
	parallel = 0.8
	// clusterDisk is what a cluster takes: node image, registry, the nodes' copies.
	clusterDisk uint64 = 7 * gigabyte
)

// Estimate is what is left to do. What is in the cache costs nothing.
type Estimate struct {
	// Seconds is the time until everything is installed, within a factor of two.
	Seconds int `json:"seconds"`
	// CPUSeconds is the compiler's part of it, on all processors together.
	CPUSeconds int  `json:"cpuSeconds"`
	Disk       Disk `json:"disk"`
	// Compile are the images and the parts of the node image that must be compiled.
	Compile []string `json:"compile"`
}

// Disk is what is written until everything is installed, in bytes.
type Disk struct {
	// Build is what the compiler writes, which is removed when all images are made.
	Build uint64 `json:"build"`
	// Images are those of packages and the programs of the node image, in the cache.
	Images uint64 `json:"images"`
	// Modules are the sources that Go's module cache gets.
	Modules uint64 `json:"modules"`
	// Cluster is a new cluster with its registry and the nodes' copies of images.
	Cluster uint64 `json:"cluster"`
}

// Total is the most that is on the disk at once.
func (d Disk) Total() uint64 { return d.Build + d.Images + d.Modules + d.Cluster }

// String is the estimate on one line.
func (e Estimate) String() string {
	took := max(time.Minute, (time.Duration(e.Seconds) * time.Second).Round(time.Minute))
	text := fmt.Sprintf("about %s on this machine (half or twice as long is possible)", strings.TrimSuffix(took.String(), "0s"))
	if len(e.Compile) == 0 {
		return text + "; nothing has to be compiled"
	}
	return fmt.Sprintf("%s; to compile: %s, which takes about %s of disk, %s of them until all images are made",
		text, strings.Join(e.Compile, ", "), humanize.Bytes(e.Disk.Total()-e.Disk.Cluster), humanize.Bytes(e.Disk.Build))
}

func (p *Plan) estimate(cluster *devcluster.Readiness, caches gotool.Caches) (Estimate, error) {
	e, costs := Estimate{Compile: []string{}}, p.catalog.Costs
	cpu, modules := 0, 0.0
	for _, v := range p.images() {
		missing, err := image.Uncompiled(v)
		if err != nil {
			return e, err
		}
		for _, img := range missing {
			cpu += costs.Compile(v.Package.Name, img.Name)
			e.Compile = append(e.Compile, v.Package.Name+"/"+img.Name)
		}
		share, err := image.MissingModules(v, missing, caches)
		if err != nil {
			return e, err
		}
		modules += share * float64(costs.Download(v.Package.Name))
	}
	wait := deployTime * time.Duration(len(p.images()))
	if !cluster.Exists {
		wait += clusterTime
		e.Disk.Cluster = clusterDisk
	}
	for _, name := range cluster.Programs {
		cpu += costs.Program(name)
		e.Compile = append(e.Compile, "node/"+name)
		share, err := nodeimage.MissingModules(name, caches)
		if err != nil {
			return e, err
		}
		modules += share * float64(costs.Download(name))
	}
	if len(cluster.Programs) > 0 {
		wait += nodeTime
	}
	e.Disk.Build = uint64(cpu) * uint64(costs.Build) * megabyte
	e.Disk.Images = uint64(len(e.Compile)) * uint64(costs.Image) * megabyte
	e.Disk.Modules = uint64(modules) * megabyte
	if cpu > 0 && costs.Calibration > 0 {
		cpu = int(float64(cpu) * float64(calibrate().Milliseconds()) / float64(costs.Calibration))
	}
	e.CPUSeconds = cpu
	e.Seconds = int(wait.Seconds() + float64(cpu)/(parallel*float64(runtime.NumCPU())))
	return e, nil
}

// calibrate is the CPU time of a fixed piece of work: the best of three runs, since other
// programs disturb.
func calibrate() time.Duration {
	words := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 4<<20)
	for i := range text {
		text[i] = byte('a' + words.IntN(16))
	}
	var best time.Duration
	for range 3 {
		before := cpuTime()
		w, _ := flate.NewWriter(io.Discard, flate.DefaultCompression) // fails only for an unknown level
		_, _ = io.Copy(w, bytes.NewReader(text))
		if took := cpuTime() - before; best == 0 || took < best {
			best = took
		}
	}
	return best
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
