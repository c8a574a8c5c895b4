// Package platform brings up a development cluster with packages of the
// checkout installed on it: the whole way from Go modules to running pods, on
// one machine.
//
// It only puts the stages in order and hands the result of one to the next. It
// must not know any package by name, nor print anything: steps go to the
// reporter of the context.
//
// Start reading at [New] and tasks.go, which has the order; steps.go has what each task
// does, graph.go does them side by side, and check.go is the first of them.
package platform

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/example"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// Namespaces on the cluster.
const (
	// globalNamespace is where kapp-controller looks for repositories whose
	// packages are offered in every namespace.
	globalNamespace = "kapp-controller-packaging-global"
	// bootstrapNamespace keeps kapp's records of what is there before
	// kapp-controller is. Every cluster has it.
	bootstrapNamespace = "kube-system"
)

// repositoryName is the PackageRepository's.
const repositoryName = "strake"

// DefaultNamespace is where packages are installed if nobody says otherwise.
// kctrl refuses the namespace default.
const DefaultNamespace = "strake"

// Options say what is wanted.
type Options struct {
	// Packages are the versions to install; see [Default]. What they require is
	// added.
	Packages []*catalog.Version
	// Values are the values of packages, by package name; see [Values].
	Values map[string]Given
	// Namespace holds the PackageInstalls.
	Namespace string
	// Example is run in the end if its package is installed; or nil.
	Example *catalog.Example
	Cluster devcluster.Options
	// Mirrors are asked for images before they are compiled.
	Mirrors []*oci.Mirror
}

// Plan is all that [Plan.Up] will do.
type Plan struct {
	catalog *catalog.Catalog
	options Options
	// packages are to be installed in this order.
	packages []catalog.Needed
	// bootstrap is deployed by kapp, before there is a kapp-controller.
	bootstrap []*catalog.Version
	// storage is deployed where nothing binds PersistentVolumeClaims; or nil.
	storage *catalog.Version
}

// Result is what stands in the end.
type Result struct {
	Cluster devcluster.Result `json:"cluster"`
	// Repository is the repository bundle as the cluster reaches it.
	Repository string      `json:"repository"`
	Installed  []Installed `json:"installed"`
	// Example is what was seen of the example that was run.
	Example *example.Result `json:"example,omitempty"`
}

// Installed is one PackageInstall that has reconciled.
type Installed struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Package   string `json:"package"`
	Version   string `json:"version"`
	// RequiredBy are the versions, as in "keda 2.21.0", for which the package
	// was added; empty for one that was asked for.
	RequiredBy []string `json:"requiredBy,omitempty"`
}

// New makes a plan. The newest versions of the repository's bootstrap packages
// are deployed first.
func New(c *catalog.Catalog, o Options) (*Plan, error) {
	for _, v := range o.Packages {
		if !c.Published(v) {
			return nil, fmt.Errorf("%s is not published in %s, so it cannot be installed from the repository; add it there", v.ID(), catalog.RepositoryFile)
		}
	}
	if err := onePerPackage(o.Packages); err != nil {
		return nil, err
	}
	packages, err := c.InstallOrder(o.Packages)
	if err != nil {
		return nil, err
	}
	p := &Plan{catalog: c, options: o, packages: packages}
	for _, name := range c.Repository.Bootstrap {
		v, err := newest(c, name)
		if err != nil {
			return nil, err
		}
		p.bootstrap = append(p.bootstrap, v)
	}
	if name := c.Repository.Storage; name != "" && o.Cluster.Context == "" {
		if p.storage, err = newest(c, name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// newest is the newest version of a package, published or not.
func newest(c *catalog.Catalog, name string) (*catalog.Version, error) {
	pkg, err := c.Package(name)
	if err != nil {
		return nil, err
	}
	return pkg.Versions[len(pkg.Versions)-1], nil
}

func onePerPackage(versions []*catalog.Version) error {
	seen := map[string]*catalog.Version{}
	for _, v := range versions {
		if other := seen[v.Package.Name]; other != nil {
			return fmt.Errorf("%s and %s cannot both be installed: choose one", other.ID(), v.ID())
		}
		seen[v.Package.Name] = v
	}
	return nil
}

// Default are the newest published versions of the packages with these names. Without
// names they are those of all packages, but for such as install others, which are
// another way to the same end.
func Default(c *catalog.Catalog, names ...string) []*catalog.Version {
	var chosen []*catalog.Version
	for _, p := range c.Packages {
		newest := newestPublished(c, p)
		if newest == nil {
			continue
		}
		if slices.Contains(names, p.Name) || len(names) == 0 && len(newest.Installed()) == 0 {
			chosen = append(chosen, newest)
		}
	}
	return chosen
}

func newestPublished(c *catalog.Catalog, p *catalog.Package) *catalog.Version {
	for i := len(p.Versions) - 1; i >= 0; i-- {
		if c.Published(p.Versions[i]) {
			return p.Versions[i]
		}
	}
	return nil
}

// Steps are what [Plan.Up] does, for people. Some of them are done side by side.
func (p *Plan) Steps() []string {
	var says []string
	for _, t := range said(p.outline()) {
		says = append(says, t.says)
	}
	return says
}

// Up does all steps. What is done already costs little, so a second run on a
// cluster that stands is quick, and an interrupted one is continued. With an error it
// returns the result nevertheless if packages are installed.
func (p *Plan) Up(ctx context.Context) (*Result, error) {
	s := &state{images: map[*catalog.Version][]oci.Artifact{}, result: Result{Installed: []Installed{}}}
	ctx, _ = progress.WithWork(ctx, "compiling images")
	err := run(ctx, p.outline(), s)
	if err != nil && len(s.result.Installed) == 0 {
		return nil, err
	}
	slices.SortFunc(s.result.Installed, func(a, b Installed) int { return cmp.Compare(p.position(a), p.position(b)) })
	return &s.result, err
}

// position is where in the plan a package is installed.
func (p *Plan) position(i Installed) int {
	return slices.IndexFunc(p.packages, func(n catalog.Needed) bool { return n.Package.Name == i.Name })
}

// images are the versions whose images are needed.
func (p *Plan) images() []*catalog.Version {
	images := slices.Clone(p.bootstrap)
	if p.storage != nil {
		images = append(images, p.storage)
	}
	for _, n := range p.packages {
		images = append(images, n.Version)
	}
	return images
}

func ids(versions []*catalog.Version) string { return strings.Join(idList(versions), ", ") }

func idList(versions []*catalog.Version) []string {
	var list []string
	for _, v := range versions {
		list = append(list, v.ID())
	}
	return list
}
