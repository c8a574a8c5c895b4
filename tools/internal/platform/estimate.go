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
	CPUSeconds int `json:"cpuSeconds"`
	// Disk is what compiling leaves in Go's caches, in bytes.
	Disk uint64 `json:"disk"`
	// Compile are the images and the parts of the node image that must be compiled.
	Compile []string `json:"compile"`
}

// String is the estimate on one line.
func (e Estimate) String() string {
	took := max(time.Minute, (time.Duration(e.Seconds) * time.Second).Round(time.Minute))
	text := fmt.Sprintf("about %s on this machine (half or twice as long is possible)", strings.TrimSuffix(took.String(), "0s"))
	if len(e.Compile) == 0 {
		return text + "; nothing has to be compiled"
	}
	return fmt.Sprintf("%s; to compile: %s, which leaves about %s in Go's caches", text, strings.Join(e.Compile, ", "), humanize.Bytes(e.Disk))
}

func (p *Plan) estimate(cluster *devcluster.Readiness) (Estimate, error) {
	e, costs := Estimate{Compile: []string{}}, p.catalog.Costs
	cpu := 0
	for _, v := range p.images() {
		missing, err := image.Uncompiled(v)
		if err != nil {
			return e, err
		}
		for _, img := range missing {
			cpu += costs.Image(v.Package.Name, img.Name)
			e.Compile = append(e.Compile, v.Package.Name+"/"+img.Name)
		}
	}
	wait := deployTime * time.Duration(len(p.images()))
	if !cluster.Exists {
		wait += clusterTime
	}
	for _, name := range cluster.Programs {
		cpu += costs.Program(name)
		e.Compile = append(e.Compile, "node/"+name)
	}
	if len(cluster.Programs) > 0 {
		wait += nodeTime
	}
	e.Disk = uint64(cpu) * uint64(costs.Disk) * 1000 * 1000
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
