package catalog

import (
	"maps"
	"path"
	"reflect"
	"slices"
)

// Maker is the version that makes an image of v, and that version's own
// declaration of it: another package's where the image has a From.
func (v *Version) Maker(img Image) (*Version, Image) {
	maker := v.makers[img.From]
	if maker == nil {
		return v, img
	}
	made, _ := maker.image(img.Name)
	return maker, made
}

func (v *Version) image(name string) (Image, bool) {
	for _, img := range v.Offered() {
		if img.Name == name {
			return img, true
		}
	}
	return Image{}, false
}

// makers finds the versions that build the images of other packages, and wants
// both locks to say the same of them.
func (l *loader) makers(c *Catalog) {
	for _, p := range c.Packages {
		for _, v := range p.Versions {
			v.makers = map[string]*Version{}
			l.makersOf(c, v)
		}
	}
}

func (l *loader) makersOf(c *Catalog, v *Version) {
	file := path.Join(l.relative(v.Dir), VersionFile)
	asked := map[string]bool{}
	for _, img := range v.Offered() {
		if img.From == "" {
			continue
		}
		asked[img.From] = true
		if v.From[img.From] == "" {
			l.bad(file, "image %s is made by package %s, but its version is missing; add it to from", img.Name, img.From)
			continue
		}
		l.maker(c, v, img, file)
	}
	for _, name := range slices.Sorted(maps.Keys(v.From)) {
		if !asked[name] {
			l.bad(file, "from names the package %s, which makes no image of this one; remove it", name)
		}
	}
}

func (l *loader) maker(c *Catalog, v *Version, img Image, file string) {
	p, err := c.Package(img.From)
	if err != nil {
		l.bad(file, "image %s: %v", img.Name, err)
		return
	}
	maker, err := p.Version(v.From[img.From])
	if err != nil {
		l.bad(file, "image %s: %v", img.Name, err)
		return
	}
	if made, found := maker.image(img.Name); !found || made.From != "" {
		l.bad(file, "%s makes no image %s", maker.ID(), img.Name)
		return
	}
	v.makers[img.From] = maker
	if !l.missingLocks && !sameLock(v, maker, img.Name) {
		l.bad(path.Join(l.relative(v.Dir), ImagesLockFile), "image %s differs from what %s locks; run %q", img.Name, maker.ID(), v.Relock())
	}
}

// sameLock compares what two locks say of an image; one that could not be read
// has been told of already.
func sameLock(v, maker *Version, name string) bool {
	if v.Images == nil || maker.Images == nil {
		return true
	}
	a, b := v.Images.image(name), maker.Images.image(name)
	a.Reference = b.Reference
	return reflect.DeepEqual(a, b)
}

func (l *ImagesLock) image(name string) LockedImage {
	for _, img := range l.Images {
		if img.Name == name {
			return img
		}
	}
	return LockedImage{}
}
