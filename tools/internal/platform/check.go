package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// Status is the outcome of a check.
type Status string

// The outcomes. A warning does not keep [Plan.Up] from beginning.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
)

// Check is the outcome of one check.
type Check struct {
	// Name says what was checked: "engine", "values of keda".
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	// Remedy is what the user can do; empty where nothing is to be done.
	Remedy string `json:"remedy,omitempty"`
}

// Report is the outcome of all checks before a plan is done.
type Report struct {
	Checks   []Check  `json:"checks"`
	Estimate Estimate `json:"estimate"`
}

// Err joins the checks that failed, each with its remedy; nil if none did.
func (r *Report) Err() error {
	var errs []error
	for _, c := range r.Checks {
		if c.Status == Failed {
			errs = append(errs, errors.New(c.String()))
		}
	}
	return errors.Join(errs...)
}

// String is the check on one line, without its status.
func (c Check) String() string {
	text := c.Name + ": " + c.Message
	if c.Remedy != "" {
		text += "; " + c.Remedy
	}
	return text
}

func (r *Report) add(name string, status Status, remedy, format string, args ...any) {
	r.Checks = append(r.Checks, Check{name, status, fmt.Sprintf(format, args...), remedy})
}

// Check finds out, without compiling, whether [Plan.Up] can work here, and estimates
// how long it takes. It makes the bundles of the plan's packages; an error says that
// the checks themselves could not be done.
func (p *Plan) Check(ctx context.Context) (*Report, error) {
	r := &Report{}
	cluster, err := devcluster.Check(ctx, p.options.Cluster)
	if err != nil {
		return nil, err
	}
	r.cluster(cluster)
	if r.Estimate, err = p.estimate(cluster); err != nil {
		return nil, err
	}
	p.checkGo(ctx, r)
	if err := r.machine(ctx, cluster.Exists); err != nil {
		return nil, err
	}
	for _, n := range p.packages {
		p.checkValues(ctx, r, n.Version)
	}
	return r, context.Cause(ctx)
}

// precheck refuses to begin what would fail later, and makes the repository.
func (p *Plan) precheck(ctx context.Context, s *state) error {
	report, err := p.Check(ctx)
	if err != nil {
		return err
	}
	for _, c := range report.Checks {
		if c.Status == Warning {
			progress.From(ctx).Step("warning: %s", c)
		}
	}
	if err := report.Err(); err != nil {
		return err
	}
	progress.From(ctx).Step("%s", report.Estimate)
	if s.repository, err = repository.Build(ctx, p.catalog, repository.Options{}); err != nil {
		return err
	}
	return p.showUncommitted(ctx, s.repository)
}

// showUncommitted names what differs from what is committed. It is no error:
// only this cluster sees it, and that by digest.
func (p *Plan) showUncommitted(ctx context.Context, r *repository.Repository) error {
	findings, err := r.Compare(p.catalog)
	for _, f := range findings {
		progress.From(ctx).Step("not committed: %s: %s", f.File, f.What)
	}
	return err
}

func (r *Report) cluster(found *devcluster.Readiness) {
	switch {
	case len(found.Missing) > 0:
		for _, m := range found.Missing {
			r.add("cluster", Failed, m.Get, "missing is %s, for %s", m.What, m.Why)
		}
	case len(found.Installs) > 0:
		r.add("cluster", OK, "", "will install %s", strings.Join(found.Installs, ", "))
	case found.Exists:
		r.add("cluster", OK, "", "%s; the cluster exists", found.Description)
	default:
		r.add("cluster", OK, "", "%s", found.Description)
	}
}

// checkGo asks for the Go release that reproduces the images, where any must be compiled.
func (p *Plan) checkGo(ctx context.Context, r *Report) {
	for _, v := range p.images() {
		missing, err := image.Uncompiled(v)
		if err != nil || len(missing) == 0 {
			continue
		}
		if err := image.CheckToolchain(ctx, v); err != nil {
			r.add("go", Failed, "install Go from https://go.dev/dl/ and run this again", "%v", err)
		} else {
			r.add("go", OK, "", "%s", v.Images.Toolchain)
		}
		return
	}
	r.add("go", OK, "", "nothing has to be compiled for packages")
}

// checkValues renders a package with the values that it is to get: a wrong name or type
// is refused as the cluster would.
func (p *Plan) checkValues(ctx context.Context, r *Report, v *catalog.Version) {
	name := "values of " + v.Package.Name
	values, err := p.valuesOf(v)
	var b *bundle.Bundle
	if err == nil {
		b, err = repository.BuildVersion(ctx, p.catalog, v, repository.Options{})
	}
	if err == nil {
		_, err = bundle.Render(ctx, b, values, bundle.RenderOptions{})
	}
	if err != nil {
		r.add(name, Failed, fmt.Sprintf("%q lists what can be set", "strake docs "+v.Package.Name), "%v", err)
		return
	}
	r.add(name, OK, "", "%s accepts them", v.ID())
}

// gigabyte is decimal, as disks are sold.
const gigabyte = 1000 * 1000 * 1000

// Memory that the Go linker takes for the largest programs, beside that of a cluster.
const (
	littleMemory = 4 * gigabyte
	tooLittle    = 2 * gigabyte
)

// machine checks disk and memory.
func (r *Report) machine(ctx context.Context, exists bool) error {
	places, err := freeSpace(ctx)
	if err != nil {
		return err
	}
	need := r.Estimate.Disk
	if !exists {
		need += clusterDisk
	}
	for _, place := range places {
		const remedy = "free some space, or move the caches with STRAKE_CACHE, GOCACHE and GOMODCACHE"
		status, advice := OK, ""
		switch {
		case place.free < need/2:
			status, advice = Failed, remedy
		case place.free < need:
			status, advice = Warning, remedy
		}
		r.add("disk", status, advice, "%s free at %s, about %s required", humanize.Bytes(place.free), place.dir, humanize.Bytes(need))
	}
	free, known := freeMemory()
	const remedy = "end other programs, or use a machine with more memory"
	switch {
	case !known:
		r.add("memory", Warning, "make sure that 4 GB are free", "this system does not report free memory")
	case free < tooLittle && len(r.Estimate.Compile) > 0:
		r.add("memory", Failed, remedy, "%s free, at least %s required to compile", humanize.Bytes(free), humanize.Bytes(tooLittle))
	case free < littleMemory:
		r.add("memory", Warning, remedy, "%s free, %s recommended", humanize.Bytes(free), humanize.Bytes(littleMemory))
	default:
		r.add("memory", OK, "", "%s free", humanize.Bytes(free))
	}
	return nil
}
