package catalog

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/strake-dev/strake/tools/internal/names"
)

// defaultWithin bounds a step of an example that names no time.
const defaultWithin = 3 * time.Minute

// Example is packages/NAME/examples/EXAMPLE: objects for a cluster on which the
// package is installed, and what the user sees them do. No bundle holds it.
type Example struct {
	// Name equals the folder's name.
	Name string `yaml:"-"`
	// Dir is the example's folder, absolute.
	Dir     string   `yaml:"-"`
	Package *Package `yaml:"-"`
	// Summary says in one sentence what the user sees.
	Summary string `yaml:"summary"`
	// Steps are done in this order.
	Steps []ExampleStep `yaml:"steps"`
}

// ExampleStep changes the cluster and waits for what comes of it.
type ExampleStep struct {
	// Says tells the user what happens, in one line.
	Says string `yaml:"says"`
	// Apply and Delete are files of the example's folder. Their objects have no
	// namespace: the example has one of its own.
	Apply  []string `yaml:"apply,omitempty"`
	Delete []string `yaml:"delete,omitempty"`
	Until  Watch    `yaml:"until"`
}

// Watch is a field of an object, and the value that ends a step.
type Watch struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Name       string `yaml:"name"`
	// Path is the field as JSONPath, in the form of "kubectl get -o jsonpath":
	// "{.status.readyReplicas}".
	Path string `yaml:"path"`
	// Label names the value for the user, such as "ready replicas".
	Label string `yaml:"label"`
	// Absent is the value of a field that is not set.
	Absent string `yaml:"absent,omitempty"`
	// Value ends the step.
	Value string `yaml:"value"`
	// Within is how long the step may take, as in "90s"; empty means three minutes.
	Within string `yaml:"within,omitempty"`
}

// Quickstart is what "strake up" installs and shows by default.
type Quickstart struct {
	Package string `yaml:"package"`
	Example string `yaml:"example"`
}

// Limit is how long the step may take.
func (w Watch) Limit() time.Duration {
	d, err := time.ParseDuration(w.Within)
	if err != nil {
		return defaultWithin
	}
	return d
}

// Files are the example's files of objects, in the order in which the steps
// first apply them.
func (e *Example) Files() []string {
	var files []string
	for _, step := range e.Steps {
		for _, name := range step.Apply {
			if !slices.Contains(files, name) {
				files = append(files, name)
			}
		}
	}
	return files
}

// Example is the package's example of a name, or its only one where name is
// empty. The error lists those that there are.
func (p *Package) Example(name string) (*Example, error) {
	var known []string
	for _, e := range p.Examples {
		if e.Name == name || name == "" && len(p.Examples) == 1 {
			return e, nil
		}
		known = append(known, e.Name)
	}
	switch {
	case len(known) == 0:
		return nil, names.Unknownf("%s has no examples", p.Name)
	case name == "":
		return nil, names.Unknownf("%s has several examples; name one: %s", p.Name, strings.Join(known, ", "))
	}
	return nil, names.Unknownf("%s has no example %q; %s", p.Name, name, names.Hint(name, known))
}

// examples reads the folder of a package's examples.
func (l *loader) examples(dir string, p *Package) []*Example {
	dir = path.Join(dir, ExamplesDir)
	if !l.exists(dir) {
		return nil
	}
	var examples []*Example
	for _, entry := range l.entries(dir) {
		name := path.Join(dir, entry.Name())
		switch {
		case entry.Name() == ExampleValuesFile:
			l.exampleValues(name, p)
		case !entry.IsDir():
			l.bad(name, "an unexpected file: only folders of examples and %s belong here; move or remove it", ExampleValuesFile)
		case !dnsLabel.MatchString(entry.Name()):
			l.bad(name, "the name of an example must be a DNS label of lower-case letters, digits and dashes; rename the folder")
		default:
			examples = append(examples, l.example(name, p))
		}
	}
	return examples
}

// exampleValues reads the values that a package's page shows. Whether the schema of
// the package allows them is not known here; a test renders them.
func (l *loader) exampleValues(name string, p *Package) {
	l.read(name, "the page of the package shows it", func(f *file, data []byte) {
		if values := f.values(data); values != nil && len(values) == 0 {
			f.badLine(1, "the file is empty")
		}
		p.ExampleValues = string(data)
	})
}

func (l *loader) example(dir string, p *Package) *Example {
	e := &Example{Name: path.Base(dir), Dir: l.path(dir), Package: p}
	sound := l.read(path.Join(dir, ExampleFile), "it says what the example shows", func(f *file, data []byte) {
		f.decode(data, e)
		if f.has("steps") && len(e.Steps) == 0 {
			f.bad("steps", "no step; an example has at least one")
		}
		for i := range e.Steps {
			checkStep(f, fmt.Sprintf("steps[%d]", i), e.Steps[:i+1])
		}
	})
	if !sound {
		return e
	}
	var there []string
	for _, entry := range l.entries(dir) {
		if there = append(there, entry.Name()); entry.Name() != ExampleFile && !slices.Contains(e.Files(), entry.Name()) {
			l.bad(path.Join(dir, entry.Name()), "no step of %s applies this; name it in one, or remove it", ExampleFile)
		}
	}
	for _, name := range e.Files() {
		if !slices.Contains(there, name) {
			l.bad(path.Join(dir, name), "missing; a step of %s applies it", ExampleFile)
		}
	}
	return e
}

// checkStep checks the last step; the others come before it.
func checkStep(f *file, at string, steps []ExampleStep) {
	step := steps[len(steps)-1]
	for i, name := range step.Apply {
		if field := fmt.Sprintf("%s.apply[%d]", at, i); name == ExampleFile || name != filepath.Base(name) || path.Ext(name) != ".yml" {
			f.bad(field, "%q is not the name of a file NAME.yml beside %s", name, ExampleFile)
		}
	}
	applied := (&Example{Steps: steps[:len(steps)-1]}).Files()
	for i, name := range step.Delete {
		if !slices.Contains(applied, name) {
			f.bad(fmt.Sprintf("%s.delete[%d]", at, i), "no step before applies %q", name)
		}
	}
	if w := step.Until.Within; w != "" {
		if d, err := time.ParseDuration(w); err != nil || d <= 0 {
			f.bad(at+".until.within", "within %q is not a time such as 90s or 2m", w)
		}
	}
	if p := step.Until.Path; p != "" && (!strings.HasPrefix(p, "{") || !strings.HasSuffix(p, "}")) {
		f.bad(at+".until.path", "path %q is not JSONPath in braces, such as {.status.readyReplicas}", p)
	}
}

func checkQuickstart(f *file, r Repository, packages []*Package) {
	if r.Quickstart == nil || r.Quickstart.Package == "" {
		return
	}
	name := r.Quickstart.Package
	i := slices.IndexFunc(packages, func(p *Package) bool { return filepath.Base(p.Dir) == name })
	switch {
	case i < 0:
		f.bad("quickstart.package", "package %q is not in %s/; %s", name, packagesDir, names.Hint(name, packageNames(packages)))
	case len(r.Published[name]) == 0:
		f.bad("quickstart.package", "%s is not published, so it cannot be installed; name it in the list published", name)
	case r.Quickstart.Example != "":
		if _, err := packages[i].Example(r.Quickstart.Example); err != nil {
			f.bad("quickstart.example", "%v", err)
		}
	}
}
