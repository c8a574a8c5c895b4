package catalog

import (
	"cmp"

	"github.com/strake-dev/strake/tools/internal/names"
)

// CostsFile records what images cost to compile. It decides no digest.
const CostsFile = "repo/costs.yml"

// typicalCost is that of an image of which nothing is recorded, in CPU-seconds.
const typicalCost = 120

// Costs is repo/costs.yml: what the compiler took on one machine, with an empty build
// cache, for estimates on others.
type Costs struct {
	// Calibration is what the fixed work of an estimate took there, in milliseconds of CPU.
	Calibration int `yaml:"calibration"`
	// Disk is what compiling leaves in Go's caches, in megabytes for each CPU-second.
	Disk int `yaml:"disk"`
	// Images are CPU-seconds by package and by image.
	Images map[string]map[string]int `yaml:"images"`
	// Node are CPU-seconds by part of the node image from source.
	Node map[string]int `yaml:"node"`
}

// Image is the recorded cost of an image in CPU-seconds, or a typical one.
func (c Costs) Image(pkg, image string) int { return cmp.Or(c.Images[pkg][image], typicalCost) }

// Program is the recorded cost of a part of the node image in CPU-seconds, or a
// typical one.
func (c Costs) Program(name string) int { return cmp.Or(c.Node[name], typicalCost) }

// costs reads what is recorded; without the file nothing is.
func (l *loader) costs(packages []*Package) (c Costs) {
	if !l.exists(CostsFile) {
		return c
	}
	l.read(CostsFile, "", func(f *file, data []byte) {
		f.decode(data, &c)
		for name, images := range c.Images {
			checkCosts(f, name, images, packages)
		}
		for _, field := range []struct {
			name  string
			value int
		}{{"calibration", c.Calibration}, {"disk", c.Disk}} {
			if f.has(field.name) && field.value <= 0 {
				f.bad(field.name, "%s must be more than 0", field.name)
			}
		}
	})
	return c
}

func checkCosts(f *file, name string, images map[string]int, packages []*Package) {
	at := "images." + name
	for _, p := range packages {
		if p.Name != name {
			continue
		}
		for image := range images {
			if !p.hasImage(image) {
				f.bad(at+"."+image, "%s has no image %q; remove the line", name, image)
			}
		}
		return
	}
	f.bad(at, "package %q is not in %s/; %s", name, packagesDir, names.Hint(name, packageNames(packages)))
}

func (p *Package) hasImage(name string) bool {
	for _, img := range p.Images {
		if img.Name == name {
			return true
		}
	}
	return false
}
