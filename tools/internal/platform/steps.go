package platform

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/devcluster/example"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
	"github.com/strake-dev/strake/tools/internal/devcluster/kapp"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/repository"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// state is what one task leaves for those after it.
type state struct {
	repository *repository.Repository
	client     *install.Client
	examples   *example.Client

	// mu guards what tasks that run side by side write.
	mu     sync.Mutex
	images map[*catalog.Version][]oci.Artifact
	result Result
}

// keep adds images that a version runs.
func (s *state) keep(v *catalog.Version, images []oci.Artifact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.images[v] = append(s.images[v], images...)
}

func (s *state) imagesOf(v *catalog.Version) []oci.Artifact {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.images[v]
}

// installedBy are the versions that a package installs with its values.
func (p *Plan) installedBy(ctx context.Context, s *state, v *catalog.Version) ([]*catalog.Version, error) {
	values, err := p.valuesOf(v)
	if err != nil {
		return nil, err
	}
	objects, err := bundle.Render(ctx, s.repository.Bundle(v), values, bundle.RenderOptions{})
	if err != nil {
		return nil, p.explain(v, err)
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
	if s.client, err = install.New(config); err != nil {
		return err
	}
	s.examples, err = example.New(config)
	return err
}

// pushBundles sends the bundles of the whole repository, since kapp-controller asks
// for all that it offers. Of images it asks for those that run.
func (p *Plan) pushBundles(ctx context.Context, s *state) error {
	artifacts, err := s.repository.Artifacts(nil)
	if err != nil {
		return err
	}
	return p.push(ctx, s, artifacts)
}

// push sends artifacts to the cluster's registry.
func (p *Plan) push(ctx context.Context, s *state, artifacts []oci.Artifact) error {
	remote, err := oci.Open(ctx, s.result.Cluster.RegistryPush+"/"+p.path(), oci.Registry{Insecure: true, Anon: true})
	if err != nil {
		return err
	}
	// This registry is the cluster's own, and kapp-controller installs by
	// digest from it, so its tags may change.
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
		if err := p.push(ctx, s, s.imagesOf(v)); err != nil {
			return err
		}
		b, err := repository.BuildVersion(ctx, p.catalog, v, repository.Options{})
		if err != nil {
			return err
		}
		objects, err := bundle.Render(ctx, b, p.options.Values[v.Package.Name].Values, bundle.RenderOptions{Repository: p.inCluster(s)})
		if err != nil {
			return p.explain(v, err)
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
		image.Unneeded(ctx, p.storage)
		return nil
	}
	if err := p.makeImages(p.storage)(ctx, s); err != nil {
		return err
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
		if err := p.push(ctx, s, s.imagesOf(v.Version)); err != nil {
			return err
		}
		values, err := p.valuesOf(v.Version)
		if err != nil {
			return err
		}
		pkg := install.Package{
			Name: v.Package.Name, Namespace: p.options.Namespace,
			Package: p.catalog.Repository.FullName(v.Package.Name), Version: v.Version.Version,
		}
		if pkg.Values, err = ytt.Merged(ctx, values); err != nil {
			return p.explain(v.Version, err)
		}
		rights, err := bundle.ExactRights(ctx, s.repository.Bundle(v.Version), values, bundle.Account{Namespace: pkg.Namespace})
		if err != nil {
			return p.explain(v.Version, err)
		}
		for _, o := range rights {
			pkg.Rights = append(pkg.Rights, o.Unstructured)
		}
		if err := s.client.Package(ctx, pkg); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.result.Installed = append(s.result.Installed, Installed{
			Namespace: pkg.Namespace, Name: pkg.Name, Package: pkg.Package, Version: pkg.Version,
			RequiredBy: idList(v.By),
		})
		return nil
	}
}

func (p *Plan) example(ctx context.Context, s *state) error {
	e, err := Example(p.options.Example, ExampleNamespace(p.options.Example))
	if err != nil {
		return err
	}
	s.result.Example, err = s.examples.Run(ctx, e)
	return err
}
