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
	CPUSeconds int `json:"cpuSeconds"`
	// Disk is what compiling leaves in Go's caches, in bytes.
	Disk uint64 `json:"disk"`
	// Compile are the images and the parts of the node image that must be compiled, and
	// Fetch the images that come from a mirror.
	Compile []string `json:"compile"`
	Fetch   []string `json:"fetch"`
}

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
	return fmt.Sprintf("%s; to compile: %s, which leaves about %s in Go's caches", text, strings.Join(e.Compile, ", "), humanize.Bytes(e.Disk))
}

func (p *Plan) estimate(ctx context.Context, cluster *devcluster.Readiness) (Estimate, error) {
	e, costs := Estimate{Compile: []string{}, Fetch: []string{}}, p.catalog.Costs
	cpu := 0
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
			name := v.Package.Name + "/" + img.Name
			if !slices.ContainsFunc(compiled, func(c catalog.LockedImage) bool { return c.Name == img.Name }) {
				e.Fetch = append(e.Fetch, name)
				continue
			}
			cpu += costs.Image(v.Package.Name, img.Name)
			e.Compile = append(e.Compile, name)
		}
	}
	wait := fetchTime*time.Duration(len(e.Fetch)) + deployTime*time.Duration(len(p.images()))
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
	e.CPUSeconds = image.Pace(costs, cpu)
	e.Seconds = int((wait + image.Elapsed(e.CPUSeconds)).Seconds())
	return e, nil
}
