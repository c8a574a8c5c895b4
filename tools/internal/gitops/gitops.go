// Package gitops writes an environment down as a folder that Flux applies from
// a git repository: the package repository, the install of the platform with its
// values, the rights of the account that installs it, and the two Kustomizations
// that apply these in their order.
//
//	README.md            what the folder is, and what must be on the cluster
//	kustomization.yaml   for the cluster's own Kustomization: the next file
//	flux.yaml            the Kustomizations of the two folders below
//	prerequisites/       namespaces, rights, the PackageRepository
//	install/             the PackageInstall, and its values as values.yml
//
// There are two Kustomizations since Flux deletes everything of one at once:
// without the account's rights kapp-controller could not take the platform away.
//
// It must not know any package by name, nor ask a cluster or a registry: equal
// checkouts give equal bytes. Nothing in the files is a secret. What is one is
// named ([Folder.Needs]), and values that look like one are refused.
//
// Start reading at [Make], which answers with files, and [Write], which brings a
// folder up to date with them.
package gitops

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// Options say where the folder will be, and what is beside it.
type Options struct {
	// Repository is the OCI repository that the package repository is pushed to:
	// HOST/PATH, which may have a tag or the digest that this checkout gives. Empty
	// means the environment's registry.
	Repository string
	// From is another version of the platform, of which the cluster is moved from
	// to this one; the account gets that one's rights, too.
	From string
	// Exact leaves out the rights that these values do not need. A package that
	// other values had enabled cannot be removed then.
	Exact bool
	// ValuesSecret is a Secret beside the PackageInstall with further values, over
	// those that are in the folder; empty for none.
	ValuesSecret string
	// Flux says how Flux reads the folder.
	Flux Flux
	// Encrypted are the files of [Encrypted].
	Encrypted []string
}

// Flux says how Flux reads the folder.
type Flux struct {
	// Namespace holds the Kustomizations and their source.
	Namespace string
	// Source is the GitRepository's name, and Path the folder's within it, with
	// slashes.
	Source, Path string
	// ServiceAccount is what the Kustomizations act as; empty for Flux's own.
	ServiceAccount string
	// DependsOn are Kustomizations that come first, such as those of secrets.
	DependsOn []string
	// SOPSSecret has the keys by which Flux decrypts; empty for those that Flux
	// itself was given.
	SOPSSecret string
}

// Folder is what [Make] made.
type Folder struct {
	// Environment is its name.
	Environment string
	// Files are the folder's by their path with slashes.
	Files map[string][]byte
	// Repository is the repository bundle, by digest.
	Repository string
	// Needs are Secrets and ConfigMaps that the cluster must have beside what is
	// installed.
	Needs []environment.Missing
}

// plan is what the files are made of.
type plan struct {
	options Options
	// environment, name and version are what is installed: the platform is called
	// name, and its Package refName.
	environment            *catalog.Environment
	name, refName, version string
	kappController         string
	// namespace holds the PackageInstalls. fetchSecret is what bundles are fetched
	// with; empty for nothing.
	namespace, fetchSecret string
	// packages are the PackageInstalls that the platform makes there.
	packages []string
	image    string
	values   []byte
	rights   []manifest.Object
	needs    []environment.Missing
}

// Make makes the files of an environment. Wrong values are refused as they
// would be on a cluster, and so is what looks like a secret.
func Make(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, o Options) (*Folder, error) {
	p, err := newPlan(ctx, c, e, o)
	if err != nil {
		return nil, fmt.Errorf("environment %s: %w", e.Name, err)
	}
	files, err := p.files()
	if err != nil {
		return nil, fmt.Errorf("environment %s: %w", e.Name, err)
	}
	return &Folder{Environment: e.Name, Files: files, Repository: p.image, Needs: p.needs}, nil
}

func newPlan(ctx context.Context, c *catalog.Catalog, e *catalog.Environment, o Options) (*plan, error) {
	v, err := c.Platform()
	if err != nil {
		return nil, err
	}
	if !c.Published(v) {
		return nil, fmt.Errorf("%s is not published in %s, so a cluster cannot install it from the repository; add it there", v.ID(), catalog.RepositoryFile)
	}
	text, err := environment.Values(ctx, c, e, v.Package.Name)
	if err != nil {
		return nil, err
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("reading the values back: %w", err)
	}
	if err := errors.Join(refuseSecrets(values), refuseSecrets(map[string]any{"description": e.Description})); err != nil {
		return nil, err
	}
	packages, err := environment.Render(ctx, c, e)
	if err != nil {
		return nil, err
	}
	repo, err := repository.Build(ctx, c, repository.Options{})
	if err != nil {
		return nil, err
	}
	needs, err := needsOf(packages)
	if err != nil {
		return nil, err
	}
	p := &plan{
		options: o, environment: e, name: v.Package.Name, refName: c.Repository.FullName(v.Package.Name), version: v.Version,
		kappController: cmp.Or(e.KappController, v.KappController), values: text, needs: needs,
	}
	if p.namespace, p.fetchSecret, err = installs(packages[0].Objects); err != nil {
		return nil, err
	}
	for _, o := range packages[0].Objects {
		if isInstall(o) {
			p.packages = append(p.packages, o.GetName())
		}
	}
	if p.image, err = pinned(cmp.Or(o.Repository, e.Registry), repo.Image.Digest); err != nil {
		return nil, err
	}
	p.rights, err = p.account(ctx, c, repo.Bundle(v), packages[0])
	return p, err
}

// account are a ServiceAccount and its rights: what exactly these values need,
// and what the bundles ship, by which packages can be removed that other values
// have enabled.
func (p *plan) account(ctx context.Context, c *catalog.Catalog, b *bundle.Bundle, platform environment.Package) ([]manifest.Object, error) {
	account := bundle.Account{Namespace: p.namespace}
	exact, err := bundle.RightsOf(b, platform.Objects, platform.Values, account)
	if err != nil {
		return nil, err
	}
	var shipping []*bundle.Bundle
	if !p.options.Exact {
		shipping = append(shipping, b)
	}
	if p.options.From != "" {
		older, err := platform.Version.Package.Version(p.options.From)
		if err != nil {
			return nil, err
		}
		was, err := repository.BuildVersion(ctx, c, older, repository.Options{})
		if err != nil {
			return nil, err
		}
		shipping = append(shipping, was)
	}
	all := [][]manifest.Object{exact}
	for _, b := range shipping {
		shipped, err := bundle.ShippedRights(ctx, b, platform.Values, account)
		if err != nil {
			return nil, err
		}
		all = append(all, shipped)
	}
	return rbac.Merge(all...)
}

// files are those of the folder, by path.
func (p *plan) files() (map[string][]byte, error) {
	namespaces, rights := p.splitNamespaces()
	documents := map[string][]manifest.Object{
		fluxFile:                              p.kustomizations(),
		prerequisitesDir + "/namespaces.yaml": namespaces,
		prerequisitesDir + "/rights.yaml":     rights,
		prerequisitesDir + "/repository.yaml": {p.packageRepository()},
		installDir + "/install.yaml":          {p.packageInstall()},
	}
	files := map[string][]byte{}
	for name, objects := range documents {
		var text bytes.Buffer
		if err := manifest.Encode(&text, objects); err != nil {
			return nil, err
		}
		files[name] = text.Bytes()
	}
	for name, content := range p.kustomize() {
		text, err := yaml.Marshal(content)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", name, err)
		}
		files[name] = text
	}
	files[installDir+"/"+valuesFile] = p.values
	for name, text := range files {
		files[name] = append([]byte("# "+mark(p.environment.Name)+"\n"), text...)
	}
	readme, err := p.readme()
	files[readmeFile] = readme
	return files, err
}

// splitNamespaces are the Namespaces of what is in the folder or must be there,
// by name, and all other rights. Flux's own is there, and none goes with a commit.
func (p *plan) splitNamespaces() (namespaces, others []manifest.Object) {
	names := []string{p.namespace}
	for _, need := range p.needs {
		names = append(names, need.Namespace)
	}
	for _, o := range p.rights {
		if o.GetKind() == "Namespace" {
			names = append(names, o.GetName())
		} else {
			others = append(others, o)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name == p.options.Flux.Namespace {
			continue
		}
		o := object("v1", "Namespace", "", name, nil)
		// The second one is for packages: a namespace that the folder creates is theirs, and
		// not one of others (packages/_common/namespace.star).
		o.SetAnnotations(map[string]string{"kustomize.toolkit.fluxcd.io/prune": "disabled", rbac.NamespaceAnnotation: "gitops"})
		namespaces = append(namespaces, o)
	}
	return namespaces, others
}

// errNoInstall is for a platform that installs nothing.
var errNoInstall = errors.New("its values enable no package, so there is nothing to install")
