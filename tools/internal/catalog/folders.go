package catalog

import (
	"cmp"
	"path"
	"slices"

	"github.com/carvel-dev/semver/v4"
)

func (l *loader) packages() []*Package {
	var packages []*Package
	for _, e := range l.entries(packagesDir) {
		name := path.Join(packagesDir, e.Name())
		if e.Name() == CommonDir {
			continue
		}
		if !e.IsDir() {
			l.bad(name, "an unexpected file: only package folders belong here; move or remove it")
			continue
		}
		packages = append(packages, l.pkg(name))
	}
	return packages
}

func (l *loader) pkg(dir string) *Package {
	p := &Package{}
	sound := l.read(path.Join(dir, PackageFile), "every package requires one", func(f *file, data []byte) {
		*p = parsePackage(f, data, path.Base(dir))
	})
	p.Dir = l.path(dir)
	p.Name = cmp.Or(p.Name, path.Base(dir)) // the path is the identity where the file cannot be read
	p.Examples = l.examples(dir, p)
	p.Profiles = l.profiles(dir)
	p.Versions = l.versions(dir, p, sound)
	l.onlyOneAlways(p)
	return p
}

// known are the entries of a package folder that are not versions.
func known(name string) bool {
	return slices.Contains([]string{PackageFile, VendirFile, ConfigDir, ExamplesDir, PermissionsDir, "test", "README.md"}, name)
}

func (l *loader) versions(dir string, p *Package, sound bool) []*Version {
	var versions []*Version
	for _, e := range l.entries(dir) {
		name := path.Join(dir, e.Name())
		switch {
		case known(e.Name()):
		case !e.IsDir() || !isVersion(e.Name()) && !l.isModule(name):
			l.bad(name, "not a part of a package, a version folder (%s) or a Go module; rename or remove it", versionForm)
		case isVersion(e.Name()):
			versions = append(versions, l.version(name, p, sound))
		}
	}
	if len(versions) == 0 {
		l.bad(dir, "no version; add a folder such as %s/1.2.3", dir)
	}
	slices.SortFunc(versions, func(a, b *Version) int {
		return cmp.Or(order(path.Base(a.Dir)).Compare(order(path.Base(b.Dir))), cmp.Compare(a.Dir, b.Dir))
	})
	return versions
}

func isVersion(name string) bool {
	_, err := semver.Parse(name)
	return err == nil
}

func order(version string) semver.Version {
	v, _ := semver.Parse(version) // the folder's name was parsed before
	return v
}

// version reads one version folder. What depends on package.yml is compared
// only where that is sound, or one mistake would be told many times.
func (l *loader) version(dir string, p *Package, sound bool) *Version {
	v := &Version{}
	l.read(path.Join(dir, VersionFile), "every version requires one", func(f *file, data []byte) {
		*v = parseVersion(f, data, path.Base(dir))
		if sound {
			checkLeftOut(f, v.LeftOut, p)
		}
		v.lines = f.lines
	})
	v.Package, v.Dir, v.Version = p, l.path(dir), cmp.Or(v.Version, path.Base(dir))
	if images := v.Offered(); sound && len(commands(images)) > 0 {
		v.modules = l.modules(dir, images)
	}
	v.Images = l.lock(dir, v.Offered(), sound)
	l.strays(dir, v)
	return v
}

// strays finds YAML files with names that nothing reads, which are mostly
// misspelt ones.
func (l *loader) strays(dir string, v *Version) {
	known := []string{VersionFile, ImagesLockFile, VendirLockFile}
	for _, img := range v.Offered() {
		if img.Generate != nil {
			known = append(known, img.Generate.Files...)
		}
	}
	for _, e := range l.entries(dir) {
		ext := path.Ext(e.Name())
		read := slices.Contains(known, e.Name())
		if !e.IsDir() && !read && (ext == ".yml" || ext == ".yaml") {
			l.bad(path.Join(dir, e.Name()), "nothing reads this file; rename or remove it")
		}
	}
}
