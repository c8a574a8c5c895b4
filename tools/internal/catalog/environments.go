package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/carvel-dev/semver/v4"

	"github.com/strake-dev/strake/tools/internal/names"
)

// Names in the folder of environments.
const (
	// EnvironmentsDir holds one folder an environment, and BaseDir with what all
	// of them share.
	EnvironmentsDir = "config"
	BaseDir         = "base"
	EnvironmentFile = "environment.yml"
	ValuesFile      = "values.yml"
	OverlaysDir     = "overlays"
	// BesideDir holds values of packages that Repository.Platform does not install.
	BesideDir = "packages"
)

// Environment is config/NAME: what one kind of cluster gets.
type Environment struct {
	// Name equals the folder's name.
	Name string `yaml:"-"`
	// Dir is the folder, absolute.
	Dir         string `yaml:"-"`
	Description string `yaml:"description"`
	// Kubernetes is the version that its clusters report, such as 1.34.4 or
	// v1.34.4-eks-3025e55: packages for other versions are not chosen, and objects are
	// checked against its API. See [Release].
	Kubernetes string `yaml:"kubernetes"`
	// KappController is the version of kapp-controller there; empty means any.
	KappController string `yaml:"kappController,omitempty"`
	// Registry is the OCI repository, HOST/PATH, from which bundles and images are
	// fetched; empty means the canonical one.
	Registry string `yaml:"registry,omitempty"`
	// Registries are further ones, HOST or HOST/PATH, from which images may come.
	Registries []string `yaml:"registries,omitempty"`
	// APIs are the group versions that others provide on the clusters, such as
	// monitoring.coreos.com/v1. Objects of these are not checked.
	APIs []string `yaml:"apis,omitempty"`
	// Objects are what others create on the clusters, or people by hand, and objects of
	// the environment refer to.
	Objects []DeclaredObject `yaml:"objects,omitempty"`
	// Sources are the values of Repository.Platform, each over those before it:
	// config/base/values.yml and the overlays of config/base, and then those of
	// config/NAME. An overlay is a text of packages.PACKAGE.overlays.
	Sources []Source `yaml:"-"`
	// OverlayFiles are the files of the overlays, below the root, by package and by
	// their name in the values.
	OverlayFiles map[string]map[string]string `yaml:"-"`
	// Beside are the values (YAML) of packages that come before the platform, or
	// are not offered, by package name.
	Beside map[string][]byte `yaml:"-"`
}

// DeclaredObject is an object that an environment does not render.
type DeclaredObject struct {
	// Kind is the kind without its API group: Secret.
	Kind string `yaml:"kind"`
	Name string `yaml:"name"`
	// Namespace is empty for an object without one.
	Namespace string `yaml:"namespace,omitempty"`
}

// Source is a file of values.
type Source struct {
	// Name is the path below the root, or what the user has called the file.
	Name string
	Data []byte
	// Made says that no file has the values: they were made of the folder of that name.
	Made bool
}

// overlayForm is a name that both a file and a key of a Secret may have.
var overlayForm = regexp.MustCompile(`^[A-Za-z0-9][-._A-Za-z0-9]*\.ya?ml$`)

// Environments are the names of all environments, sorted.
func (c *Catalog) Environments() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(c.Root, EnvironmentsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for environments: %w", err)
	}
	list := []string{}
	for _, e := range entries {
		if e.IsDir() && e.Name() != BaseDir && e.Name()[0] != '.' {
			list = append(list, e.Name())
		}
	}
	return list, nil
}

// Environment reads one environment strictly. An unknown name is a
// [names.UnknownError]; any other error joins all that is wrong, as that of [Load].
func (c *Catalog) Environment(name string) (*Environment, error) {
	known, err := c.Environments()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(known, name) {
		return nil, names.Unknownf("no environment %q; %s", name, names.Hint(name, known))
	}
	l := &loader{root: c.Root}
	dir := path.Join(EnvironmentsDir, name)
	e := &Environment{Name: name, Dir: l.path(dir), Beside: map[string][]byte{}, OverlayFiles: map[string]map[string]string{}}
	l.read(path.Join(dir, EnvironmentFile), "it says what the environment is for and which Kubernetes it runs", func(f *file, data []byte) {
		f.decode(data, e)
		checkRelease(f, "kubernetes", e.Kubernetes)
		checkRelease(f, "kappController", e.KappController)
		if fault := repositoryFault(e.Registry); e.Registry != "" && fault != "" {
			f.bad("registry", "%q %s; write HOST/PATH alone", e.Registry, fault)
		}
		for i, api := range e.APIs {
			if api != "v1" && !groupVersion.MatchString(api) {
				f.bad(fmt.Sprintf("apis[%d]", i), "api %q is not GROUP/VERSION such as monitoring.coreos.com/v1", api)
			}
		}
		for i, registry := range e.Registries {
			if registry == "" || strings.ContainsAny(registry, "@ ") || strings.Contains(registry, "://") {
				f.bad(fmt.Sprintf("registries[%d]", i), "registry %q is not HOST or HOST/PATH such as registry.example.com/team", registry)
			}
		}
	})
	l.sources(e, path.Join(EnvironmentsDir, BaseDir), "1-")
	l.sources(e, dir, "2-")
	l.beside(c, e, dir)
	l.strayEntries(dir, EnvironmentFile, ValuesFile, OverlaysDir, BesideDir)
	if base := path.Join(EnvironmentsDir, BaseDir); l.exists(base) {
		l.strayEntries(base, ValuesFile, OverlaysDir)
	}
	return e, join(l.problems)
}

// sources reads values.yml and overlays/ of a folder. Prefix orders the overlays:
// kapp-controller gives them to ytt by name.
func (l *loader) sources(e *Environment, dir, prefix string) {
	if name := path.Join(dir, ValuesFile); l.exists(name) {
		l.read(name, "", func(f *file, data []byte) {
			f.values(data)
			e.Sources = append(e.Sources, Source{Name: name, Data: data})
		})
	}
	overlays := path.Join(dir, OverlaysDir)
	if !l.exists(overlays) {
		return
	}
	for _, entry := range l.entries(overlays) {
		pkg := entry.Name()
		if !entry.IsDir() {
			l.bad(path.Join(overlays, pkg), "an unexpected file: only folders named after packages belong here; move it into one")
			continue
		}
		files := l.overlays(e, path.Join(overlays, pkg), prefix+path.Base(dir)+"-")
		text, err := json.Marshal(map[string]any{"packages": map[string]any{pkg: map[string]any{"overlays": files}}})
		if err != nil {
			l.bad(path.Join(overlays, pkg), "%v", err)
			continue
		}
		e.Sources = append(e.Sources, Source{Name: path.Join(overlays, pkg), Data: text, Made: true})
	}
}

// overlays reads those of one package.
func (l *loader) overlays(e *Environment, dir, prefix string) map[string]any {
	files := map[string]any{}
	pkg := path.Base(dir)
	if e.OverlayFiles[pkg] == nil {
		e.OverlayFiles[pkg] = map[string]string{}
	}
	for _, entry := range l.entries(dir) {
		name := path.Join(dir, entry.Name())
		if entry.IsDir() || !overlayForm.MatchString(entry.Name()) {
			l.bad(name, "not an overlay: the name must be NAME.yml of letters, digits, dots and dashes; rename or move it")
			continue
		}
		text, err := os.ReadFile(l.path(name))
		if err != nil {
			l.bad(name, "%v", err)
			continue
		}
		files[prefix+entry.Name()] = string(text)
		e.OverlayFiles[pkg][prefix+entry.Name()] = name
	}
	return files
}

// beside reads the values of packages that the platform does not install.
func (l *loader) beside(c *Catalog, e *Environment, dir string) {
	dir = path.Join(dir, BesideDir)
	if !l.exists(dir) {
		return
	}
	for _, entry := range l.entries(dir) {
		name, at := strings.TrimSuffix(entry.Name(), ".yml"), path.Join(dir, entry.Name())
		if _, err := c.Package(name); err != nil && c.leftOut[name] == nil {
			l.bad(at, "%v; a file here is named PACKAGE.yml", err)
			continue
		}
		l.read(at, "", func(f *file, data []byte) {
			f.values(data)
			e.Beside[name] = data
		})
	}
}

// strayEntries finds what nothing reads, which is mostly misspelt.
func (l *loader) strayEntries(dir string, known ...string) {
	for _, e := range l.entries(dir) {
		if !slices.Contains(append(known, "README.md"), e.Name()) {
			l.bad(path.Join(dir, e.Name()), "nothing reads this; known here: %s", strings.Join(known, ", "))
		}
	}
}

// Release returns a version of Kubernetes or kapp-controller as kapp-controller compares it
// with what packages require: 1.34.4 for v1.34.4-eks-3025e55, without what a distribution
// appends. An empty version is any, and stays empty.
func Release(version string) (string, error) {
	if version == "" {
		return "", nil
	}
	v, err := semver.ParseTolerant(version)
	if err != nil {
		return "", err
	}
	v.Pre, v.Build = nil, nil
	return v.String(), nil
}

func checkRelease(f *file, field, version string) {
	if !f.has(field) || version == "" {
		return
	}
	if _, err := Release(version); err != nil {
		f.bad(field, "%s %q is not a version such as 1.34.4 or 1.34.4-eks-3025e55: %v; write what \"kubectl version\" prints for the server", field, version, err)
	}
}

// Platform is the newest version of the package that installs the others.
func (c *Catalog) Platform() (*Version, error) {
	if c.Repository.Platform == "" {
		return nil, fmt.Errorf("%s names no platform, the package whose values environments are", RepositoryFile)
	}
	p, err := c.Package(c.Repository.Platform)
	if err != nil {
		return nil, err
	}
	return p.Versions[len(p.Versions)-1], nil
}
