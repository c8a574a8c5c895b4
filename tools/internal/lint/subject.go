package lint

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// subject is all that the rules look at of one version.
type subject struct {
	version   *catalog.Version
	canonical string
	// upstream are the objects as upstream writes them; final are those that a
	// cluster gets with the default values, kapp's Config among them.
	upstream, final []manifest.Object
	// charts are the faults of the version's Helm charts.
	charts []Finding
	// files are those of the package's config folder, by slash path below the
	// checkout.
	files map[string][]byte
	// schema is the OpenAPI schema of the package's values, made from schemaFile.
	schema     map[string]any
	schemaFile string
	packageCR  map[string]any
	// older are the same package's versions before this one, oldest first.
	older []*subject
	// versionFile and packageFile are version.yml and package.yml, below the checkout.
	versionFile, packageFile string
	// published tells that users are offered some version of the package.
	published bool
	// backups are what editors left in the package's folder, below the checkout.
	backups []string
	// installed are the kinds that others bring to the cluster before; nil where
	// nobody knows.
	installed kinds
}

func (s *subject) schemaSource() []byte { return s.files[s.schemaFile] }

// gather runs the stages up to what a cluster gets. A chart that manifest would
// refuse is judged before, so that it is a finding and not the end of the run.
// Where images are not locked yet, stand-ins are as good to judge by.
func gather(ctx context.Context, c *catalog.Catalog, v *catalog.Version) (*subject, error) {
	v = v.StandIn()
	s := &subject{
		version: v, canonical: c.Repository.Canonical, published: len(c.Repository.Published[v.Package.Name]) > 0,
		versionFile: relative(c.Root, filepath.Join(v.Dir, catalog.VersionFile)),
		packageFile: relative(c.Root, filepath.Join(v.Package.Dir, catalog.PackageFile)),
	}
	if err := s.readConfig(c.Root, v.Package); err != nil {
		return nil, err
	}
	var err error
	if s.backups, err = backupsBelow(c.Root, relative(c.Root, v.Package.Dir)); err != nil {
		return nil, err
	}
	if s.charts, err = charts(ctx, v); err != nil || len(s.charts) > 0 {
		return s, err
	}
	if s.upstream, err = repository.Objects(ctx, v, repository.Options{}); err != nil {
		return nil, err
	}
	b, err := repository.BuildVersion(ctx, c, v, repository.Options{})
	if err != nil {
		return nil, err
	}
	if s.final, err = bundle.Render(ctx, b, nil, bundle.RenderOptions{}); err != nil {
		return nil, err
	}
	if s.schema, err = b.ValuesSchema(ctx); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(b.PackageCR, &s.packageCR); err != nil {
		return nil, fmt.Errorf("reading the Package: %w", err)
	}
	return s, nil
}

func (s *subject) readConfig(root string, p *catalog.Package) error {
	files, err := bundle.ConfigFiles(p)
	if err != nil {
		return err
	}
	dir := relative(root, p.Dir)
	s.files, s.schemaFile = map[string][]byte{}, path.Join(dir, catalog.ConfigDir, "schema.yml")
	for name, data := range files {
		s.files[path.Join(dir, name)] = data
	}
	return nil
}
