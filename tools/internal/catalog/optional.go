package catalog

import (
	"fmt"
	"slices"

	"github.com/strake-dev/strake/tools/internal/names"
)

// Offered are the images of package.yml that the version has, in that order.
func (v *Version) Offered() []Image {
	return slices.DeleteFunc(slices.Clone(v.Package.Images), func(img Image) bool { return v.leavesOut(img.Name) })
}

// Manifests are those of package.yml that the version has, in that order.
func (v *Version) Manifests() []Manifest {
	return slices.DeleteFunc(slices.Clone(v.Package.Manifests), func(m Manifest) bool { return v.leavesOut(m.Image) })
}

func (v *Version) leavesOut(image string) bool {
	return slices.ContainsFunc(v.LeftOut, func(l LeftOut) bool { return l.Image == image })
}

// Optional tells whether versions of the package may leave images out.
func (p *Package) Optional() bool {
	return slices.ContainsFunc(p.Images, func(img Image) bool { return img.Optional })
}

// checkOptional wants every manifest's image to be one that can be left out.
func checkOptional(f *file, p Package) {
	for i, m := range p.Manifests {
		if m.Image != "" && !isOptional(&p, m.Image) {
			f.bad(fmt.Sprintf("manifests[%d].image", i), "image %q is no optional image of this package; %s", m.Image, names.Hint(m.Image, optional(&p)))
		}
	}
}

func checkLeftOut(f *file, list []LeftOut, p *Package) {
	for i, l := range list {
		at := fmt.Sprintf("leftOut[%d]", i)
		switch {
		case !isOptional(p, l.Image):
			f.bad(at+".image", "image %q is no optional image of %s; %s", l.Image, PackageFile, names.Hint(l.Image, optional(p)))
		case slices.ContainsFunc(list[:i], func(o LeftOut) bool { return o.Image == l.Image }):
			f.bad(at+".image", "image %q is left out twice", l.Image)
		case l.Reason == "":
			f.bad(at+".reason", "no reason; users who enable the image see it")
		}
	}
}

func isOptional(p *Package, image string) bool { return slices.Contains(optional(p), image) }

func optional(p *Package) []string {
	list := []string{}
	for _, img := range p.Images {
		if img.Optional {
			list = append(list, img.Name)
		}
	}
	return list
}
