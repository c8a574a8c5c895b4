package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

var (
	digestForm   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	platformForm = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+(/v[0-9]+)?$`)
)

// lock reads the version's images.lock.yml, if it is there, and compares it to
// package.yml where that is sound.
func (l *loader) lock(dir string, images []Image, sound bool) *ImagesLock {
	name := path.Join(dir, ImagesLockFile)
	if !l.exists(name) {
		if sound && len(images) == 0 {
			return &ImagesLock{Source: FromModule}
		}
		return nil
	}
	remedy := fmt.Sprintf("run %q", relock(versionID(dir), images))
	before := len(l.problems)
	var lock ImagesLock
	good := l.read(name, remedy, func(f *file, data []byte) {
		lock = parseLock(f, data)
		if sound {
			checkAgainst(f, lock, images, remedy)
		}
	})
	if good {
		return &lock
	}
	if l.missingLocks {
		l.problems = l.problems[:before]
	}
	return nil
}

// locks insists on images.lock.yml where it must be: a version without one, say
// because its registry is out of reach, can be worked on and cannot be published.
func (l *loader) locks(c *Catalog) {
	if l.missingLocks {
		return
	}
	for _, v := range c.Versions() {
		dir := l.relative(v.Dir)
		name := path.Join(dir, ImagesLockFile)
		published := slices.Contains(c.Repository.Published[path.Base(path.Dir(dir))], path.Base(dir))
		if published && v.Images == nil && !l.exists(name) {
			l.bad(name, "missing; run %q", relock(versionID(dir), v.Offered()))
		}
	}
}

// versionID names a version folder to the commands: packages/keda/2.21.0 is
// keda@2.21.0.
func versionID(dir string) string { return path.Base(path.Dir(dir)) + "@" + path.Base(dir) }

// Relock is the command that writes v's images.lock.yml.
func (v *Version) Relock() string {
	return relock(v.Package.Name+"@"+v.Version, v.Offered())
}

func relock(id string, images []Image) string {
	command := "strake images lock " + id
	if slices.ContainsFunc(images, func(img Image) bool { return img.Command == "" && img.From == "" }) {
		command += " --images=" + string(FromUpstream)
	}
	return command
}

func parseLock(f *file, data []byte) (lock ImagesLock) {
	f.decode(data, &lock)
	switch lock.Source {
	case FromModule:
		checkDigest(f, "base", lock.Base)
		if lock.Toolchain == "" || lock.Base == "" {
			f.bad("source", "images from a module require toolchain and base")
		}
	case FromUpstream:
		if lock.Toolchain != "" || lock.Base != "" {
			f.bad("source", "images from upstream have neither toolchain nor base; remove them")
		}
	case "":
	default:
		f.bad("source", "unknown source %q; known: %s, %s", lock.Source, FromModule, FromUpstream)
	}
	for i, img := range lock.Images {
		checkLocked(f, fmt.Sprintf("images[%d]", i), img, lock.Source)
	}
	return lock
}

func checkLocked(f *file, at string, img LockedImage, source ImageSource) {
	checkDigest(f, at+".digest", img.Digest)
	checkDigest(f, at+".inputs", img.Inputs)
	if source == FromModule && img.Inputs == "" {
		f.bad(at, "an image from a module requires the hash of its inputs")
	}
	if f.has(at+".platforms") && len(img.Platforms) == 0 {
		f.bad(at+".platforms", "no platform; an image has at least one")
	}
	for i, p := range img.Platforms {
		field := fmt.Sprintf("%s.platforms[%d]", at, i)
		if p.Platform != "" && !platformForm.MatchString(p.Platform) {
			f.bad(field+".platform", "platform %q is not OS/ARCH, such as linux/amd64", p.Platform)
		}
		if slices.IndexFunc(img.Platforms, func(q LockedPlatform) bool { return q.Platform == p.Platform }) < i {
			f.bad(field+".platform", "platform %q is listed twice", p.Platform)
		}
		checkDigest(f, field+".digest", p.Digest)
		checkDigest(f, field+".sbom", p.SBOM)
	}
}

func checkDigest(f *file, field, digest string) {
	if digest != "" && !digestForm.MatchString(digest) {
		f.bad(field, `%s %q is not "sha256:" and 64 hexadecimal digits`, field, digest)
	}
}

// checkAgainst compares the lock's images to those of package.yml that the
// version has.
func checkAgainst(f *file, lock ImagesLock, images []Image, remedy string) {
	for i, img := range images {
		field := fmt.Sprintf("images[%d]", i)
		switch {
		case i >= len(lock.Images):
			f.bad("images", "image %q of %s is not locked; %s", img.Name, PackageFile, remedy)
		case lock.Images[i].Name != img.Name:
			f.bad(field+".name", "name is %q, but %q in %s; %s", lock.Images[i].Name, img.Name, PackageFile, remedy)
		case lock.Images[i].Reference != img.Reference:
			f.bad(field+".reference", "reference is %q, but %q in %s; %s", lock.Images[i].Reference, img.Reference, PackageFile, remedy)
		case lock.Source == FromModule && img.Command == "" && img.From == "":
			f.bad(field, "image %q has no command in %s, so it can only be locked with --images=upstream", img.Name, PackageFile)
		}
	}
	for i := len(images); i < len(lock.Images); i++ {
		f.bad(fmt.Sprintf("images[%d]", i), "image %q is not in %s; %s", lock.Images[i].Name, PackageFile, remedy)
	}
}

// WriteImagesLock writes v's images.lock.yml in one step: a run that is killed
// leaves the old file or the new one. v.Images becomes l.
func WriteImagesLock(v *Version, l *ImagesLock) error {
	name := filepath.Join(v.Dir, ImagesLockFile)
	data, err := encodeLock(v, l)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := replace(name, data); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	v.Images = l
	return nil
}

func encodeLock(v *Version, l *ImagesLock) ([]byte, error) {
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "# Written by \"strake images lock %s@%s\"; do not edit.\n", v.Package.Name, v.Version)
	encoder := yaml.NewEncoder(&buf)
	encoder.SetIndent(2)
	if err := encoder.Encode(l); err != nil {
		return nil, err
	}
	f := newFile(ImagesLockFile)
	lock := parseLock(f, buf.Bytes())
	checkAgainst(f, lock, v.Offered(), "lock all of them")
	return buf.Bytes(), join(f.sorted())
}

func replace(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(fs.FileMode(0o644)), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
