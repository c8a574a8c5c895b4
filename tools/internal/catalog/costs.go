package catalog

import (
	"cmp"
	"slices"

	"github.com/strake-dev/strake/tools/internal/names"
)

// CostsFile records what images cost to compile. It decides no digest.
const CostsFile = "repo/costs.yml"

// What an image costs of which nothing is recorded.
const (
	typicalCost    = 120 // CPU-seconds
	typicalModules = 300 // megabytes
)

// Costs is repo/costs.yml: what the compiler took on one machine, with empty caches, for
// estimates on others. Sizes are in megabytes on the disk.
type Costs struct {
	// Calibration is what the fixed work of an estimate took there, in milliseconds of CPU.
	Calibration int `yaml:"calibration"`
	// Build is what the compiler writes for each CPU-second. It is removed when all
	// images are made.
	Build int `yaml:"build"`
	// Image is what one image takes in the cache, on average.
	Image int `yaml:"image"`
	// Images are CPU-seconds by package and by image.
	Images map[string]map[string]int `yaml:"images"`
	// Node are CPU-seconds by part of the node image from source.
	Node map[string]int `yaml:"node"`
	// Modules are the sizes of what Go's module cache gets, by package or part of the
	// node image. Modules of several count for the one that is built first.
	Modules map[string]int `yaml:"modules"`
}

// Compile is the recorded cost of an image in CPU-seconds, or a typical one.
func (c Costs) Compile(pkg, image string) int { return cmp.Or(c.Images[pkg][image], typicalCost) }

// Download is the recorded size of the modules of a package or of a part of the node
// image in megabytes, or a typical one.
func (c Costs) Download(name string) int { return cmp.Or(c.Modules[name], typicalModules) }

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
		for name := range c.Modules {
			if _, node := c.Node[name]; !node && !slices.Contains(packageNames(packages), name) {
				f.bad("modules."+name, "%q is neither a package nor a part of the node image; %s", name, names.Hint(name, packageNames(packages)))
			}
		}
		for _, field := range []struct {
			name  string
			value int
		}{{"calibration", c.Calibration}, {"build", c.Build}, {"image", c.Image}} {
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
