package platform

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
	"github.com/strake-dev/strake/tools/internal/devcluster/kapp"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// state is what one step leaves for those after it.
type state struct {
	repository *repository.Repository
	images     []oci.Artifact
	client     *install.Client
	result     Result
}

// build names what differs from what is committed, and goes on: nobody but
// this cluster sees it, and that by digest.
func (p *Plan) build(ctx context.Context, s *state) (err error) {
	if s.repository, err = repository.Build(ctx, p.catalog, repository.Options{}); err != nil {
		return err
	}
	findings, err := s.repository.Compare(p.catalog)
	for _, f := range findings {
		progress.From(ctx).Step("not committed: %s: %s", f.File, f.What)
	}
	return err
}

func (p *Plan) makeImages(ctx context.Context, s *state) error {
	versions := p.images()
	for _, v := range p.installing() {
		others, err := p.installedBy(ctx, s, v)
		if err != nil {
			return err
		}
		versions = append(versions, others...)
	}
	for _, v := range slices.Compact(versions) {
		made, err := image.Build(ctx, v, image.Options{})
		if err != nil {
			return err
		}
		s.images = append(s.images, made...)
	}
	return nil
}

// installedBy are the versions that a package installs with its values.
func (p *Plan) installedBy(ctx context.Context, s *state, v *catalog.Version) ([]*catalog.Version, error) {
	values, err := p.valuesOf(v)
	if err != nil {
		return nil, err
	}
	objects, err := bundle.Render(ctx, s.repository.Bundle(v), values, bundle.RenderOptions{})
	if err != nil {
		return nil, err
	}
	return environment.Installs(p.catalog, objects)
}

func (p *Plan) cluster(ctx context.Context, s *state) error {
	options := p.options.Cluster
	options.RegistryKey = oci.ServeKey()
	result, err := devcluster.Up(ctx, options)
	if err != nil {
		return err
	}
	s.result.Cluster = *result
	config, err := devcluster.RESTConfig(result.Kubeconfig, result.Context)
	if err != nil {
		return err
	}
	s.client, err = install.New(config)
	return err
}

// push sends the bundles of the whole repository, since kapp-controller asks
// for all that it offers, but only the images that will run.
func (p *Plan) push(ctx context.Context, s *state) error {
	remote, err := oci.Open(ctx, s.result.Cluster.RegistryPush+"/"+p.path(), oci.Registry{Insecure: true, Anon: true})
	if err != nil {
		return err
	}
	artifacts, err := s.repository.Artifacts(s.images, p.images()...)
	if err != nil {
		return err
	}
	// This registry is the cluster's own, and kapp-controller installs by
	// digest from it, so its tags may move.
	_, err = remote.Push(ctx, artifacts, oci.PushOptions{MoveTags: true})
	return err
}

// path is the canonical repository's, below another registry.
func (p *Plan) path() string {
	_, path, _ := strings.Cut(p.catalog.Repository.Canonical, "/")
	return path
}

// inCluster is the repository as nodes and pods reach it.
func (p *Plan) inCluster(s *state) string { return s.result.Cluster.RegistryCluster + "/" + p.path() }

// deploy installs a version without kapp-controller, in the way that
// kapp-controller would.
func (p *Plan) deploy(v *catalog.Version) func(context.Context, *state) error {
	return func(ctx context.Context, s *state) error {
		b, err := repository.BuildVersion(ctx, p.catalog, v, repository.Options{})
		if err != nil {
			return err
		}
		objects, err := bundle.Render(ctx, b, p.options.Values[v.Package.Name], bundle.RenderOptions{Repository: p.inCluster(s)})
		if err != nil {
			return err
		}
		var manifests bytes.Buffer
		if err := manifest.Encode(&manifests, objects); err != nil {
			return err
		}
		return kapp.Deploy(ctx, kapp.Target{
			Kubeconfig: s.result.Cluster.Kubeconfig, Context: s.result.Cluster.Context,
			App: v.Package.Name, Namespace: bootstrapNamespace,
		}, manifests.Bytes())
	}
}

func (p *Plan) store(ctx context.Context, s *state) error {
	if !s.result.Cluster.NeedsStorage {
		return nil
	}
	return p.deploy(p.storage)(ctx, s)
}

func (p *Plan) offer(ctx context.Context, s *state) error {
	s.result.Repository = p.inCluster(s) + "@" + s.repository.Image.Digest
	return s.client.Repository(ctx, install.Repository{
		Name: repositoryName, Namespace: globalNamespace, Image: s.result.Repository,
	})
}

func (p *Plan) install(v catalog.Needed) func(context.Context, *state) error {
	return func(ctx context.Context, s *state) error {
		values, err := p.valuesOf(v.Version)
		if err != nil {
			return err
		}
		pkg := install.Package{
			Name: v.Package.Name, Namespace: p.options.Namespace,
			Package: p.catalog.Repository.FullName(v.Package.Name), Version: v.Version.Version,
			Values: values,
		}
		rights, err := bundle.ExactRights(ctx, s.repository.Bundle(v.Version), pkg.Values, bundle.Account{Namespace: pkg.Namespace})
		if err != nil {
			return err
		}
		for _, o := range rights {
			pkg.Rights = append(pkg.Rights, o.Unstructured)
		}
		if err := s.client.Package(ctx, pkg); err != nil {
			return err
		}
		s.result.Installed = append(s.result.Installed, Installed{
			Namespace: pkg.Namespace, Name: pkg.Name, Package: pkg.Package, Version: pkg.Version,
			RequiredBy: idList(v.By),
		})
		return nil
	}
}
