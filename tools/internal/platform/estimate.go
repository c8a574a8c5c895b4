package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/strake-dev/strake/tools/internal/catalog"
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
	fetchTime   = 5 * time.Second  // an image that a mirror has
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
	// Compile are the images and the parts of the node image that must be compiled, and
	// Fetch the images that come from a mirror.
	Compile []string `json:"compile"`
	Fetch   []string `json:"fetch"`
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
	if len(e.Fetch) > 0 {
		text += fmt.Sprintf("; from mirrors: %s", strings.Join(e.Fetch, ", "))
	}
	if len(e.Compile) == 0 {
		return text + "; nothing has to be compiled"
	}
	return fmt.Sprintf("%s; to compile: %s, which takes about %s of disk, %s of them until all images are made",
		text, strings.Join(e.Compile, ", "), humanize.Bytes(e.Disk.Total()-e.Disk.Cluster), humanize.Bytes(e.Disk.Build))
}

func (p *Plan) estimate(ctx context.Context, cluster *devcluster.Readiness, caches gotool.Caches) (Estimate, error) {
	e, costs := Estimate{Compile: []string{}, Fetch: []string{}}, p.catalog.Costs
	cpu, modules := 0, 0.0
	counted := map[string]bool{} // by inputs: versions may share an image
	for _, v := range p.images() {
		missing, err := image.Missing(v)
		if err != nil {
			return e, err
		}
		compiled, err := image.Uncompiled(ctx, v, p.options.Mirrors)
		if err != nil {
			return e, err
		}
		for _, img := range missing {
			if counted[img.Inputs] {
				continue
			}
			counted[img.Inputs] = true
			name := v.Package.Name + "/" + img.Name
			if !slices.ContainsFunc(compiled, func(c catalog.LockedImage) bool { return c.Name == img.Name }) {
				e.Fetch = append(e.Fetch, name)
				continue
			}
			cpu += costs.Compile(v.Package.Name, img.Name)
			e.Compile = append(e.Compile, name)
		}
		share, err := image.MissingModules(v, compiled, caches)
		if err != nil {
			return e, err
		}
		modules += share * float64(costs.Download(v.Package.Name))
	}
	wait := fetchTime*time.Duration(len(e.Fetch)) + deployTime*time.Duration(len(p.images()))
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
	e.Disk.Images = uint64(len(e.Compile)+len(e.Fetch)) * uint64(costs.Image) * megabyte
	e.Disk.Modules = uint64(modules) * megabyte
	e.CPUSeconds = image.Pace(costs, cpu)
	e.Seconds = int((wait + image.Elapsed(e.CPUSeconds)).Seconds())
	return e, nil
}
