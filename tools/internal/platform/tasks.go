package platform

import (
	"context"
	"slices"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// installsAtOnce bounds the installs that wait for their pods side by side: a node on
// one machine starts few at once, and what waits too long fails.
const installsAtOnce = 3

// outline puts the tasks of a plan together.
type outline struct {
	plan  *Plan
	tasks []*task
	check *task
	// images is the task that makes images last. The next one follows it, since one
	// compile uses all processors.
	images *task
	// compiling are all tasks that may compile.
	compiling []*task
}

func (o *outline) add(t task) *task {
	o.tasks = append(o.tasks, &t)
	return &t
}

// makes adds the task that makes the images of a version.
func (o *outline) makes(v *catalog.Version, vital bool) *task {
	says := "build the images of " + v.ID()
	if len(v.Installed()) > 0 {
		says += ", and of the packages that it installs"
	}
	o.images = o.add(task{says: says, do: o.plan.makeImages(v), after: []*task{o.check}, follows: []*task{o.images}, vital: vital})
	o.compiling = append(o.compiling, o.images)
	return o.images
}

// outline is the whole plan. The cluster comes up while images are compiled, package
// by package in the order of the installs, so that each is usable while the next one
// compiles.
func (p *Plan) outline() []*task {
	o := &outline{plan: p}
	o.check = o.add(task{says: "check this machine and the values of the packages; build the bundles of the repository", do: p.precheck, vital: true})
	o.images = o.check
	o.compiling = append(o.compiling, o.add(task{do: p.download, after: []*task{o.check}}))
	cluster := o.add(task{says: "create the cluster and its registry", do: p.cluster, after: []*task{o.check}, vital: true})
	ready := o.add(task{says: "push the bundles to the cluster's registry", do: p.pushBundles, after: []*task{cluster}, vital: true})
	for _, v := range p.bootstrap {
		images := o.makes(v, true)
		ready = o.add(task{says: "deploy " + v.ID() + " with kapp", do: p.deploy(v), after: []*task{images, ready}, vital: true})
	}
	offer := o.add(task{says: "add the package repository in " + globalNamespace, do: p.offer, after: []*task{ready}, vital: true})
	o.compiling = append(o.compiling, cluster)
	if p.storage != nil {
		// PersistentVolumeClaims wait for it; nothing else does.
		o.compiling = append(o.compiling, o.add(task{says: "deploy " + p.storage.ID() + " with kapp, if the cluster has no storage", do: p.store, after: []*task{offer}}))
	}
	o.installs(offer)
	o.clears()
	return o.tasks
}

// installs adds the packages, each after those that it requires, and the example.
func (o *outline) installs(offer *task) {
	installs := map[string]*task{}
	slots := make(chan struct{}, installsAtOnce)
	for _, n := range o.plan.packages {
		after := []*task{o.makes(n.Version, false), offer}
		for _, r := range n.Requires {
			if required := installs[r.Package]; required != nil {
				after = append(after, required)
			}
		}
		installs[n.Package.Name] = o.add(task{
			says: "install " + n.ID() + " in the namespace " + o.plan.options.Namespace + because(n),
			do:   o.plan.install(n), after: after, slots: slots,
		})
	}
	if e := o.plan.options.Example; e != nil && installs[e.Package.Name] != nil {
		o.add(task{says: "run the example " + e.Name + " of " + e.Package.Name, do: o.plan.example, after: []*task{installs[e.Package.Name]}})
	}
}

// clears adds the task that frees the disk of what was compiled, once there is no image
// left to make.
func (o *outline) clears() {
	compiling := o.compiling
	o.add(task{follows: compiling, do: func(ctx context.Context, _ *state) error {
		if !slices.ContainsFunc(compiling, func(t *task) bool { return t.err != nil }) {
			gocache.Clear(ctx)
		}
		return nil
	}})
}

func because(n catalog.Needed) string {
	if len(n.By) == 0 {
		return ""
	}
	return ", which " + ids(n.By) + " requires"
}

// download fetches the modules of all images that must be compiled, while others
// compile. What it cannot fetch, the compiler asks for again and reports.
func (p *Plan) download(ctx context.Context, _ *state) error {
	for _, v := range p.images() {
		if err := image.Download(ctx, v, p.options.Mirrors); err != nil && ctx.Err() == nil {
			progress.From(ctx).Step("%v; the compiler tries again", err)
		}
	}
	return nil
}

// makeImages makes the images of a version and of those that it installs.
func (p *Plan) makeImages(v *catalog.Version) func(context.Context, *state) error {
	return func(ctx context.Context, s *state) error {
		versions := []*catalog.Version{v}
		if len(v.Installed()) > 0 {
			others, err := p.installedBy(ctx, s, v)
			if err != nil {
				return err
			}
			versions = append(versions, others...)
			if err := image.Expect(ctx, p.catalog.Costs, p.options.Mirrors, others...); err != nil {
				return err
			}
		}
		for _, made := range slices.Compact(versions) {
			images, err := image.Build(ctx, made, image.Options{Mirrors: p.options.Mirrors})
			if err != nil {
				return err
			}
			s.keep(v, images)
		}
		return nil
	}
}
