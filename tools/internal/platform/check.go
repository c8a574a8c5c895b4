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
	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/gotool"
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
	// programs are the parts of the node image that must be compiled.
	programs []string
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
	r.programs = cluster.Programs
	r.cluster(cluster)
	caches, err := goCaches(ctx)
	if err != nil {
		return nil, err
	}
	if r.Estimate, err = p.estimate(ctx, cluster, caches); err != nil {
		return nil, err
	}
	if err := p.checkMirrors(ctx, r); err != nil {
		return nil, err
	}
	p.checkGo(ctx, r)
	if err := r.disk(caches); err != nil {
		return nil, err
	}
	r.memory()
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
	if err := p.expect(ctx, report.programs); err != nil {
		return err
	}
	if s.repository, err = repository.Build(ctx, p.catalog, repository.Options{}); err != nil {
		return err
	}
	return p.showUncommitted(ctx, s.repository)
}

// expect lists what is going to be compiled, for the progress.
func (p *Plan) expect(ctx context.Context, programs []string) error {
	costs := p.catalog.Costs
	for _, name := range programs {
		job := nodeimage.Job(name)
		job.Expected = image.Elapsed(image.Pace(costs, costs.Program(name)))
		progress.Expect(ctx, job)
	}
	return image.Expect(ctx, costs, p.options.Mirrors, p.images()...)
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

// checkMirrors asks each mirror for the images that the cache does not have.
func (p *Plan) checkMirrors(ctx context.Context, r *Report) error {
	missing := map[string]bool{} // by digest: versions may share an image
	has := make([]int, len(p.options.Mirrors))
	for _, v := range p.images() {
		images, err := image.Missing(v)
		if err != nil {
			return err
		}
		for _, img := range images {
			if missing[img.Digest] {
				continue
			}
			missing[img.Digest] = true
			for i, m := range p.options.Mirrors {
				if m.Has(ctx, img.Digest) {
					has[i]++
				}
			}
		}
	}
	for i, m := range p.options.Mirrors {
		if err := m.LeftOut(); err != nil {
			r.add("mirror "+m.Name(), Warning, "images are compiled instead of taken from there", "%v", err)
		} else {
			r.add("mirror "+m.Name(), OK, "", "has %d of %d images that are not in the cache", has[i], len(missing))
		}
	}
	return context.Cause(ctx)
}

// checkGo asks for the Go release that reproduces the images, where any must be compiled.
func (p *Plan) checkGo(ctx context.Context, r *Report) {
	for _, v := range p.images() {
		missing, err := image.Uncompiled(ctx, v, p.options.Mirrors)
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
		r.refused(name, v, p.explain(v, err))
		return
	}
	r.add(name, OK, "", "%s accepts them", v.ID())
}

// refused adds a check for each error in the user's files. One of an unknown key says
// itself which command lists the keys.
func (r *Report) refused(name string, v *catalog.Version, err error) {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, one := range list {
		remedy := fmt.Sprintf("%q lists what can be set", "strake docs "+v.Package.Name)
		if strings.Contains(one.Error(), `"strake docs `) {
			remedy = ""
		}
		r.add(name, Failed, remedy, "%v", one)
	}
}

// Sizes are decimal, as disks are sold.
const (
	megabyte = 1000 * 1000
	gigabyte = 1000 * megabyte
)

// Memory that the Go linker takes for the largest programs, beside that of a cluster.
const (
	littleMemory = 4 * gigabyte
	tooLittle    = 2 * gigabyte
)

// disk checks the disks on which something is written. Half of the estimate is surely
// too little.
func (r *Report) disk(caches gotool.Caches) error {
	places, err := freeSpace(r.Estimate.Disk, caches)
	if err != nil {
		return err
	}
	for _, place := range places {
		const remedy = "free some space (\"strake cache\" shows what there is to clear), or move the caches with STRAKE_CACHE and GOMODCACHE"
		status, advice := OK, ""
		switch {
		case place.free < place.need/2:
			status, advice = Failed, remedy
		case place.free < place.need:
			status, advice = Warning, remedy
		}
		r.add("disk", status, advice, "%s free at %s, about %s required%s",
			humanize.Bytes(place.free), place.dir, humanize.Bytes(place.need), place.whatFor())
	}
	return nil
}

// memory checks the memory.
func (r *Report) memory() {
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
}
