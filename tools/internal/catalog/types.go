package catalog

import (
	"path/filepath"
	"time"
)

// Catalog is everything a checkout declares.
type Catalog struct {
	// Root is the checkout's folder, absolute.
	Root       string
	Repository Repository
	// Packages are sorted by name.
	Packages []*Package
	// Broken is what [LeaveOutBroken] left out, sorted by name.
	Broken []Broken
	// leftOut is why packages are left out, by the names of their folders.
	leftOut map[string]error
	Costs   Costs
}

// Repository is repo/repository.yml.
type Repository struct {
	// Domain ends every package's full name: NAME.DOMAIN.
	Domain string `yaml:"domain"`
	// Canonical is the OCI repository (HOST/PATH, no tag) that every generated
	// reference names. It need not exist: references are rewritten to wherever
	// a bundle is fetched from.
	Canonical string `yaml:"canonical"`
	// Version is the semantic version of the repository bundle.
	Version string `yaml:"version"`
	// Published maps a package's name to the versions that are offered to users.
	// A package that is not named is for the project's own use, or not ready.
	Published map[string][]string `yaml:"published"`
	// Bootstrap are packages of the project's own that a development cluster
	// needs before the repository can be offered there. Their newest versions
	// are deployed with kapp, in this order.
	Bootstrap []string `yaml:"bootstrap,omitempty"`
	// Storage is a package of the project's own that binds
	// PersistentVolumeClaims on a development cluster whose nodes bring
	// nothing that does.
	Storage string `yaml:"storage,omitempty"`
	// Platform is the package that installs others; environments are values of it.
	Platform string `yaml:"platform,omitempty"`
	// Quickstart is what "strake up" installs and shows by default; without it that
	// is every published package.
	Quickstart *Quickstart `yaml:"quickstart,omitempty"`
	// ImagesFrom are OCI repositories (HOST/PATH, no tag) that "strake push" has filled.
	// Images are taken from the first one that has their digests, before they are
	// compiled.
	ImagesFrom []string `yaml:"imagesFrom,omitempty"`
}

// Package is packages/NAME/package.yml and the version folders beside it.
type Package struct {
	// Dir is the package's folder, absolute.
	Dir string `yaml:"-"`
	// Name equals the folder's name.
	Name     string   `yaml:"name"`
	Metadata Metadata `yaml:"metadata"`
	// Proof says, in part of a sentence, what the package is seen doing on a
	// cluster before a version of it is published.
	Proof string `yaml:"proof,omitempty"`
	// Manifests say what of the upstream sources is rendered, in this order. A
	// package of nothing but its own config/ has none, and no vendir.yml.
	Manifests []Manifest `yaml:"manifests,omitempty"`
	// Images are all images that the rendered objects name.
	Images []Image `yaml:"images,omitempty"`
	// Lint are findings of the linter that are meant to be, in all versions.
	Lint Lint `yaml:"lint,omitempty"`
	// References are texts of the rendered objects that name other objects, beside the
	// fields that do so everywhere, such as imagePullSecrets.
	References []TextReference `yaml:"references,omitempty"`
	// Creates are objects that programs of the package create at run time, and that its
	// rendered objects refer to.
	Creates []CreatedObject `yaml:"creates,omitempty"`
	// Examples are sorted by name.
	Examples []*Example `yaml:"-"`
	// ExampleValues is the text of examples/values.yml: values that a platform team
	// sets first, which the package's page shows. It is empty without that file.
	ExampleValues string `yaml:"-"`
	// Profiles are the permission profiles, sorted by name.
	Profiles []*Profile `yaml:"-"`
	// Versions are sorted by semantic version, oldest first.
	Versions []*Version `yaml:"-"`
	// leftOut is why versions are left out, by the names of their folders.
	leftOut map[string]error
}

// Lint changes what the linter says.
type Lint struct {
	Allow []LintException `yaml:"allow,omitempty"`
}

// LintException makes the linter keep silent about some findings. One that
// keeps it from nothing is a finding itself.
type LintException struct {
	// Rule is the name at the end of the finding.
	Rule string `yaml:"rule"`
	// Object is the finding's, as in "Deployment.apps keda/keda-operator";
	// a "*" stands for any text.
	Object string `yaml:"object"`
	// Reason says why it must be so.
	Reason string `yaml:"reason"`
}

// Metadata is shown to people who browse packages; see PackageMetadata in
// https://carvel.dev/kapp-controller/docs/latest/packaging/.
type Metadata struct {
	DisplayName        string   `yaml:"displayName"`
	ShortDescription   string   `yaml:"shortDescription"`
	LongDescription    string   `yaml:"longDescription"`
	ProviderName       string   `yaml:"providerName"`
	Maintainers        []string `yaml:"maintainers"`
	Categories         []string `yaml:"categories"`
	SupportDescription string   `yaml:"supportDescription,omitempty"`
	// Source is the upstream's home (a URL); images carry it as a label.
	Source string `yaml:"source"`
}

// ManifestKind is how one part of the upstream becomes objects.
type ManifestKind string

// The kinds of manifest.
const (
	Plain     ManifestKind = "plain"
	Kustomize ManifestKind = "kustomize"
	Helm      ManifestKind = "helm"
	Ytt       ManifestKind = "ytt"
)

// Manifest is one part of the upstream sources to render.
type Manifest struct {
	Kind ManifestKind `yaml:"kind"`
	// Path is below the upstream sources, with forward slashes: a file or
	// folder for plain and ytt, a kustomization's or chart's folder for the
	// others.
	Path string `yaml:"path"`
	// Release is for Helm alone, Values are for Helm and ytt.
	Release *HelmRelease   `yaml:"release,omitempty"`
	Values  map[string]any `yaml:"values,omitempty"`
	// Image names the optional image that the manifest is of: a version that
	// leaves the image out leaves the manifest out.
	Image string `yaml:"image,omitempty"`
}

// HelmRelease is what a chart sees as .Release.
type HelmRelease struct {
	Name      string `yaml:"name"`
	Namespace string `yaml:"namespace"`
}

// Image is one image of the rendered objects, and how it is made.
type Image struct {
	// Name is unique in the package and names the image to people.
	Name string `yaml:"name"`
	// Reference is the image's repository as the manifests write it, without
	// tag or digest: ghcr.io/kedacore/keda. Every tag of it is meant.
	Reference string `yaml:"reference"`
	// Optional says that a version may leave the image out; see [LeftOut].
	Optional bool `yaml:"optional,omitempty"`
	// From names the package whose image of the same name this is: it is made
	// there, and has the same digest here. [Version.From] says of which version.
	From string `yaml:"from,omitempty"`
	// Command is the import path of the main package; a "tool" directive of
	// the version's go.mod pins it. An image without one can only be locked
	// from upstream.
	Command string `yaml:"command,omitempty"`
	// Generate is for a command whose sources are in no module: a program writes
	// them. Command is then their import path in the version's own module.
	Generate *Generate `yaml:"generate,omitempty"`
	// With are further commands put on the image's PATH.
	With []string `yaml:"with,omitempty"`
	// Links are absolute paths in the image that point to a command by its
	// base name, as the manifests call it: {/keda: operator}.
	Links map[string]string `yaml:"links,omitempty"`
	// Ldflags are given to the Go linker after "-s -w"; ${VERSION} stands for
	// the upstream's version.
	Ldflags []string `yaml:"ldflags,omitempty"`
	// Tags are Go build tags, for programs that choose by them what is in them.
	Tags []string `yaml:"tags,omitempty"`
	// User is UID or UID:GID of the process; empty means the base's non-root user.
	User string `yaml:"user,omitempty"`
	// Files are empty or copied files that the program expects; see [ImageFile].
	Files []ImageFile `yaml:"files,omitempty"`
	// Published is the upstream project's own image, HOST/PATH:TAG with
	// ${VERSION} for the upstream's version and ${MODULE_VERSION} for that of the
	// command's module, both without "v"; empty means Reference:${VERSION}.
	// It is asked for when images are locked from upstream.
	Published string `yaml:"published,omitempty"`
}

// Generate is a program that writes a command's Go sources when the image is
// built. It starts in a new folder that holds go.mod and go.sum of the module
// that pins it, and Files; nothing but HOME and TMPDIR is in its environment.
// What it writes there is compiled with that same go.mod and go.sum, so it
// cannot choose other modules than those that are locked.
type Generate struct {
	// Command is the program's import path; a "tool" directive pins it.
	Command string   `yaml:"command"`
	Args    []string `yaml:"args,omitempty"`
	// Files are what it reads, by their slash paths beside that go.mod.
	Files []string `yaml:"files,omitempty"`
}

// ImageFile is a file that an image needs beside its commands.
type ImageFile struct {
	// Path is absolute, in the image.
	Path string `yaml:"path"`
	// CARoots fills the file with the base's CA certificates.
	CARoots bool `yaml:"caRoots,omitempty"`
	// Folder makes a folder instead, for programs that write beside the files
	// that they expect.
	Folder bool `yaml:"folder,omitempty"`
	// Mode is the octal permission, such as "0664"; UID and GID own the file.
	Mode string `yaml:"mode"`
	UID  int    `yaml:"uid"`
	GID  int    `yaml:"gid"`
}

// Version is one folder packages/NAME/VERSION.
type Version struct {
	// Package is the package it belongs to.
	Package *Package `yaml:"-"`
	// Dir is the version's folder, absolute.
	Dir string `yaml:"-"`
	// Version equals the folder's name: a semantic version, with
	// "+strake.N" from the second revision on.
	Version string `yaml:"version"`
	// Upstream is the upstream's own version, without "v"; left out, it is
	// Version without its build metadata.
	Upstream     string    `yaml:"upstream,omitempty"`
	ReleasedAt   time.Time `yaml:"releasedAt"`
	ReleaseNotes string    `yaml:"releaseNotes"`
	// Licenses are SPDX expressions.
	Licenses []string `yaml:"licenses"`
	// Capacity says in prose what the package asks of a cluster.
	Capacity string `yaml:"capacity,omitempty"`
	// Kubernetes and KappController are version constraints, as in
	// kubernetesVersionSelection and kappControllerVersionSelection.
	Kubernetes     string     `yaml:"kubernetes"`
	KappController string     `yaml:"kappController,omitempty"`
	Includes       []Software `yaml:"includes"`
	// From says, for each package whose images this one has too, of which version
	// they are.
	From map[string]string `yaml:"from,omitempty"`
	// LeftOut are the optional images that the version does not have.
	LeftOut []LeftOut `yaml:"leftOut,omitempty"`
	// Installs are the versions of other packages, by name, that this one offers
	// to install: its bundle contains the schemas of their values. They are exact,
	// so that the bundle stays what it is when newer ones are published.
	Installs map[string]string `yaml:"installs,omitempty"`
	// UpgradesFrom is the range of this package's versions from which one moves
	// here in one step, such as ">=1.22.0 <1.23.0". All but the oldest version
	// say so, and admit the one before them.
	UpgradesFrom string `yaml:"upgradesFrom,omitempty"`
	// Lint are findings of the linter that are meant to be, in this version.
	Lint Lint `yaml:"lint,omitempty"`
	// Requires are the packages that this version needs on the cluster first.
	Requires []Requirement `yaml:"requires,omitempty"`
	// Images is images.lock.yml; nil where there is none yet, which only a
	// version that is not published may be.
	Images *ImagesLock `yaml:"-"`
	// lines are where version.yml has its fields, for checks across packages.
	lines map[string]int
	// modules maps a command to the folder of the module that pins it.
	modules map[string]string
	// makers maps the packages of From to the versions.
	makers map[string]*Version
	// installed are the versions of Installs, by package name.
	installed []*Version
}

// Software is a part of the package that users know by its own name.
type Software struct {
	Name        string `yaml:"name"`
	Version     string `yaml:"version"`
	Description string `yaml:"description"`
}

// LeftOut is an optional image of package.yml that a version does not have. The
// package's ytt files see it as left_out in /package.star, a map of names to
// reasons, so that its schema can tell who asks for it.
type LeftOut struct {
	Image string `yaml:"image"`
	// Reason completes "IMAGE is left out: ".
	Reason string `yaml:"reason"`
}

// Requirement is what a version needs of another package of the catalog.
type Requirement struct {
	// Package is the other package's name.
	Package string `yaml:"package"`
	// Constraint is a range of its versions, such as ">=3.6.0 <4.0.0".
	Constraint string `yaml:"constraint"`
	// Optional needs depend on the values: they decide the order of what is
	// installed together, but are not installed by themselves.
	Optional bool `yaml:"optional,omitempty"`
	// When says on which values an optional need depends, as a Starlark expression on
	// "values", the values of the package: "values.tls.enabled". Without it, nothing
	// checks the need.
	When string `yaml:"when,omitempty"`
	// API is a group and version that the cluster serves when the other
	// package is there, such as serving.knative.dev/v1. An install that is not
	// optional refuses to begin without it.
	API string `yaml:"api,omitempty"`
	// Reason says to people what the other package is needed for.
	Reason string `yaml:"reason"`
}

// ImageSource is where a locked image comes from.
type ImageSource string

// The sources of images.
const (
	FromModule   ImageSource = "module"
	FromUpstream ImageSource = "upstream"
)

// ImagesLock is images.lock.yml: what the images of a version must be, byte
// for byte.
type ImagesLock struct {
	// Source says whether the images are built from the version's module or
	// are the upstream project's own.
	Source ImageSource `yaml:"source"`
	// Toolchain is the Go release ("go1.26.8") and Base the digest of the
	// base image's content; both are empty for upstream images.
	Toolchain string        `yaml:"toolchain,omitempty"`
	Base      string        `yaml:"base,omitempty"`
	Images    []LockedImage `yaml:"images"`
}

// LockedImage is one image of a version, in the order of package.yml.
type LockedImage struct {
	// Name and Reference equal those of package.yml.
	Name      string `yaml:"name"`
	Reference string `yaml:"reference"`
	// Digest is the image index's, "sha256:…", whatever the number of platforms.
	Digest string `yaml:"digest"`
	// Inputs is the hash of all that the image is built from, "sha256:…".
	Inputs    string           `yaml:"inputs,omitempty"`
	Platforms []LockedPlatform `yaml:"platforms"`
}

// LockedPlatform is one platform of an image.
type LockedPlatform struct {
	// Platform is OS/ARCH, as in linux/amd64.
	Platform string `yaml:"platform"`
	Digest   string `yaml:"digest"`
	// SBOM is the digest of the OCI manifest that carries the platform's SPDX
	// document and refers to it as its subject.
	SBOM string `yaml:"sbom,omitempty"`
}

// File names within the tree.
const (
	PackageFile    = "package.yml"
	VendirFile     = "vendir.yml"
	VersionFile    = "version.yml"
	ImagesLockFile = "images.lock.yml"
	VendirLockFile = "vendir.lock.yml"
	ConfigDir      = "config"
	ExamplesDir    = "examples"
	ExampleFile    = "example.yml"
	// ExampleValuesFile is in the folder of a package's examples, beside theirs.
	ExampleValuesFile = "values.yml"
	// CommonDir, beside the packages, holds the ytt files that packages share;
	// they load them from the same name: load("/_common/check.star", "check").
	CommonDir      = "_common"
	RepositoryFile = "repo/repository.yml"
	GeneratedDir   = "repo/packages"
)

// FullName is the package's name on a cluster: keda.strake.internal.
func (r Repository) FullName(name string) string { return name + "." + r.Domain }

// Config is the package's folder of ytt files.
func (p *Package) Config() string { return filepath.Join(p.Dir, ConfigDir) }

// Common is the folder of the ytt files that all packages share; it need not exist.
func (p *Package) Common() string { return filepath.Join(filepath.Dir(p.Dir), CommonDir) }

// Module is the folder of the Go module that pins a command: the version's own,
// one below it for a command that does not resolve together with the others, or
// one beside the versions for a program of the package's own.
func (v *Version) Module(command string) string {
	if dir := v.modules[command]; dir != "" {
		return dir
	}
	return v.Dir
}

// ID names the version to people: keda 2.21.0.
func (v *Version) ID() string { return v.Package.Name + " " + v.Version }
