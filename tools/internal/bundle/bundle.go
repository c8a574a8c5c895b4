// Package bundle turns one package version into what a cluster installs: an
// imgpkg bundle (ytt files, a kbld lock and the rendered upstream objects)
// and the Package resource that points to it.
//
// It must not know where the upstream came from, how images are built or
// which registry a bundle goes to: its inputs are the catalog and a list of
// objects, its output is bytes, and equal inputs give equal digests.
// Start reading at [Build]; [Render] does with a bundle what kapp-controller
// will do on a cluster.
package bundle

import (
	"context"
	"fmt"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

// Places within a bundle, with forward slashes.
const (
	configDir    = "config"
	upstreamDir  = "config/upstream"
	commonDir    = configDir + "/" + catalog.CommonDir
	crdFile      = upstreamDir + "/crds.yml"
	objectFile   = upstreamDir + "/objects.yml"
	requiresFile = upstreamDir + "/requires.yml"
	neededFile   = upstreamDir + "/needed.yml"
	imagesFile   = ".imgpkg/images.yml"
	schemaFile   = "config/schema.yml"
	factsFile    = "config/package.star"
	installsFile = "config/installs.star"
	schemasFile  = "config/schemas.star"
	accountsFile = "config/accounts.star"
	librariesDir = "config/_ytt_lib"
	digestMarker = "@"
)

// Format changes when equal inputs begin to give other bytes, or a [Bundle] gets
// another field to keep; caches of bundles put it into their keys.
const Format = "27"

// Bundle is one package version, ready to be pushed and installed.
type Bundle struct {
	// Package and Version name it: "keda", "2.21.0".
	Package, Version string
	// Canonical is the OCI repository that all references of Files and
	// PackageCR name.
	Canonical string
	// Files are the bundle's content by slash path.
	Files map[string][]byte
	// Image is the OCI image of Files with its tag; Digest is its digest,
	// "sha256:…".
	Image  oci.Artifact
	Digest string
	// PackageCR is the Package resource, one YAML document.
	PackageCR []byte
	// Namespace is the one that the package makes by default, for a package that
	// installs it and makes that namespace first.
	Namespace *OwnNamespace
	// Profiles are the parts of the permissions to install it, for a package that
	// installs it.
	Profiles Profiles
	// Origins say where in the upstream sources an object stands, by [Key].
	Origins map[string]manifest.Origin
}

// Build makes the bundle of a version from the objects that its upstream
// renders to. It reads the package's config folder and nothing else, needs no
// network and compiles nothing; every digest comes from the version's
// images.lock.yml. The bundles of the versions that it installs, if any, and of
// their predecessors are given as installed. Errors name the file and the field to change.
func Build(ctx context.Context, v *catalog.Version, repo catalog.Repository, objects []manifest.Object, installed ...*Bundle) (*Bundle, error) {
	b := &Bundle{Package: v.Package.Name, Version: v.Version, Canonical: repo.Canonical, Origins: origins(objects)}
	files, err := content(ctx, v, repo, objects, installed)
	if err != nil {
		return nil, fmt.Errorf("building the bundle of %s: %w", v.ID(), err)
	}
	schema, err := valuesSchema(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("reading the values schema of %s: %w", v.ID(), err)
	}
	if checks := clusterChecksOf(v, schema); !checks.empty() {
		files[requiresFile] = checks.schema(repo)
		if text := checks.conditional(repo); text != nil {
			files[neededFile] = text
		}
	}
	made := permissions{version: v, repo: repo, files: light(files, objects), installed: installed}
	defaults, profiles, err := made.derive(ctx, schema)
	if err == nil {
		err = addPermissions(ctx, files, v.Package.Name, made.own, profiles)
	}
	if err != nil {
		return nil, fmt.Errorf("deriving the permissions to install %s: %w", v.ID(), err)
	}
	b.Profiles = profiles
	b.Namespace = namespaceOf(defaults, schema)
	b.Files = files
	if err := b.pack(); err != nil {
		return nil, err
	}
	if b.PackageCR, err = packageCR(v, repo, b, schema); err != nil {
		return nil, fmt.Errorf("making the Package of %s: %w", v.ID(), err)
	}
	if err := checkPackageImages(b.PackageCR, b.Reference()); err != nil {
		return nil, fmt.Errorf("checking the Package of %s: %w", v.ID(), err)
	}
	return b, nil
}

// Profiles are the permission profiles of a bundle. The first has no name: every install
// has it.
type Profiles []rbac.Profile

// Reference is the bundle's canonical reference by digest, as the Package
// resource names it.
func (b *Bundle) Reference() string { return b.Canonical + digestMarker + b.Digest }

// Tag is the tag of a version's bundle: an OCI tag cannot hold "+".
func Tag(name, version string) string {
	return name + "-" + strings.ReplaceAll(version, "+", "-")
}

// pack makes the image of the files.
func (b *Bundle) pack() error {
	artifact, err := Pack(b.Package+" "+b.Version, b.Files, Tag(b.Package, b.Version))
	if err != nil {
		return err
	}
	b.Image, b.Digest = artifact, artifact.Digest
	return nil
}

// Pack makes the artifact of a bundle's files, which must hold
// .imgpkg/images.yml. The name is for people.
func Pack(name string, files map[string][]byte, tags ...string) (oci.Artifact, error) {
	image, err := oci.BundleImage(files)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("packing the bundle %s: %w", name, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("hashing the bundle %s: %w", name, err)
	}
	return oci.Artifact{Name: name, Digest: digest.String(), Tags: tags, Image: image}, nil
}
