package test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// picked is a package to prove and the versions of it, oldest first.
type picked struct {
	name     string
	versions []string
	why      string
}

// checkout is what the tests read of the repository's data.
type checkout struct {
	Domain    string              `json:"domain"`
	Canonical string              `json:"canonical"`
	Published map[string][]string `json:"published"`
	// installing are the published packages that install others.
	installing []string
	// requires maps a published package to those that its newest version needs
	// or, by its values, may need.
	requires map[string][]string
}

func readCheckout(t *testing.T) checkout {
	t.Helper()
	c, err := loadCheckout("..")
	require.NoError(t, err)
	return c
}

func loadCheckout(root string) (c checkout, err error) {
	if err := readYAML(filepath.Join(root, "repo", "repository.yml"), &c); err != nil {
		return c, err
	}
	c.requires = map[string][]string{}
	for name, versions := range c.Published {
		var version struct {
			Installs map[string]string `json:"installs"`
			Requires []struct {
				Package string `json:"package"`
			} `json:"requires"`
		}
		if err := readYAML(filepath.Join(root, "packages", name, versions[len(versions)-1], "version.yml"), &version); err != nil {
			return c, err
		}
		if len(version.Installs) > 0 {
			c.installing = append(c.installing, name)
		}
		for _, need := range version.Requires {
			c.requires[name] = append(c.requires[name], need.Package)
		}
	}
	return c, nil
}

func readYAML(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}

// pickFromEnvironment reads STRAKE_TEST_PACKAGES (changed, if it is empty) and
// tells a person what is picked, and why.
func pickFromEnvironment(out io.Writer) ([]picked, error) {
	c, err := loadCheckout("..")
	if err != nil {
		return nil, err
	}
	core := strings.Fields(os.Getenv("STRAKE_TEST_CORE"))
	var list []picked
	switch asked := strings.Fields(os.Getenv("STRAKE_TEST_PACKAGES")); {
	case len(asked) == 0 || slices.Equal(asked, []string{"changed"}):
		base, paths, err := changedPaths()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "PICKED by what changed since %s (%d files); STRAKE_TEST_PACKAGES=all takes all\n", base, len(paths))
		only, err := wordingOnly(base, paths)
		if err != nil {
			return nil, err
		}
		paths, reworded := withoutWording(c, paths, only)
		for _, name := range reworded {
			fmt.Fprintf(out, "NOT PICKED %s: only descriptions changed, which no cluster sees\n", name)
		}
		list = pick(c, paths, core)
	case slices.Equal(asked, []string{"all"}):
		list = pickNamed(c, sortedKeys(c.Published), "all were asked for")
	default:
		list = pickNamed(c, asked, "it was asked for by name")
	}
	for _, p := range list {
		if len(p.versions) == 0 {
			return nil, fmt.Errorf("no version of %q is published; known: %s", p.name, strings.Join(sortedKeys(c.Published), ", "))
		}
		fmt.Fprintf(out, "PICKED %s %s: %s\n", p.name, strings.Join(p.versions, ", "), p.why)
	}
	if len(list) == 0 {
		return nil, errors.New("nothing that is published is picked; STRAKE_TEST_CORE names what is always worth a run")
	}
	return list, nil
}

// newestPicked is the newest published version of a package, or skips the test
// where the package is not picked.
func newestPicked(t *testing.T, name string) string {
	t.Helper()
	for _, p := range shared.picked {
		if p.name == name {
			return p.versions[len(p.versions)-1]
		}
	}
	t.Skipf("SKIPPED: the package %s is not picked", name)
	return ""
}

// pickNamed takes packages with all their versions.
func pickNamed(c checkout, names []string, why string) []picked {
	var list []picked
	for _, name := range names {
		list = append(list, picked{name, c.Published[name], why})
	}
	return list
}

// pick takes the published packages that the paths (slashes, below the
// checkout) touch, those that require one of them, and the core where a path
// concerns all packages or none. Of each it takes the newest version and the
// one before it.
func pick(c checkout, paths, core []string) []picked {
	why := map[string]string{}
	note := func(name, reason string) (isNew bool) {
		if why[name] == "" && len(c.Published[name]) > 0 {
			why[name], isNew = reason, true
		}
		return isNew
	}
	concernsAll := ""
	for _, path := range paths {
		if isProse(path) {
			continue
		}
		if name := touchedPackage(path); name != "" {
			note(name, path+" changed")
		} else if !isGenerated(path) {
			concernsAll = path
		}
	}
	noteRequiring(c, why, note)
	for _, name := range core {
		if concernsAll != "" {
			note(name, "it is the core, since "+concernsAll+" concerns all packages")
		} else if len(why) == 0 {
			note(name, "it is the core, and nothing of a package changed")
		}
	}
	var list []picked
	for _, name := range sortedKeys(why) {
		versions := c.Published[name]
		list = append(list, picked{name, versions[max(0, len(versions)-2):], why[name]})
	}
	return list
}

// noteRequiring adds the packages that require one that is noted, and those
// that require these.
func noteRequiring(c checkout, why map[string]string, note func(name, reason string) bool) {
	for grown := true; grown; {
		grown = false
		for _, name := range sortedKeys(c.requires) {
			for _, need := range c.requires[name] {
				if why[need] != "" && note(name, "it requires "+need) {
					grown = true
				}
			}
		}
	}
}

// touchedPackage is the package that a file belongs to alone, or nothing.
func touchedPackage(path string) string {
	parts := strings.Split(path, "/")
	switch {
	case len(parts) > 2 && parts[0] == "packages" && !strings.HasPrefix(parts[1], "_"):
		return parts[1]
	case len(parts) == 4 && parts[0] == "repo" && parts[1] == "packages": // NAME.DOMAIN/VERSION.yml
		name, _, _ := strings.Cut(parts[2], ".")
		return name
	case len(parts) > 3 && parts[0] == "config": // config/ENV/overlays/NAME/FILE, config/ENV/packages/NAME.yml
		return strings.TrimSuffix(parts[3], ".yml")
	case len(parts) == 2 && parts[0] == "test":
		name := strings.ReplaceAll(strings.TrimSuffix(parts[1], "_test.go"), "_", "-")
		if works[name] != nil {
			return name
		}
	}
	return ""
}

// isProse reports whether no cluster sees a file: documentation, and the example
// values on the page of a package.
func isProse(path string) bool {
	return strings.HasSuffix(path, ".md") || strings.HasPrefix(path, "docs/") ||
		strings.HasPrefix(path, "packages/") && strings.HasSuffix(path, "/examples/values.yml")
}

// isGenerated tells what follows from the packages: all in repo/ that belongs
// to none of them.
func isGenerated(path string) bool { return strings.HasPrefix(path, "repo/") }

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestPick(t *testing.T) {
	c := checkout{
		Published: map[string][]string{
			"keda": {"1.0.0", "2.0.0", "3.0.0"}, "serving": {"1.0.0"}, "ingress": {"1.0.0", "1.1.0"}, "app": {"1.0.0"},
			"knative-serving": {"1.0.0"},
		},
		requires: map[string][]string{"serving": {"ingress"}, "app": {"serving"}},
	}
	for name, test := range map[string]struct {
		paths []string
		want  []string
	}{
		"a package and what requires it": {
			[]string{"packages/ingress/config/schema.yml"}, []string{"app 1.0.0", "ingress 1.0.0 1.1.0", "serving 1.0.0"}},
		"the newest and the one before it": {[]string{"config/dev/overlays/keda/labels.yml"}, []string{"keda 2.0.0 3.0.0"}},
		"a version that is published":      {[]string{"repo/repository.yml", "repo/packages/keda.strake.test/3.0.0.yml"}, []string{"keda 2.0.0 3.0.0"}},
		"another's published version":      {[]string{"repo/packages/app.strake.test/1.0.0.yml"}, []string{"app 1.0.0"}},
		"the package's own test":           {[]string{"test/keda_test.go"}, []string{"keda 2.0.0 3.0.0"}},
		"a test with a longer name":        {[]string{"test/knative_serving_test.go"}, []string{"knative-serving 1.0.0"}},
		"the tools":                        {[]string{"tools/internal/cli/up.go"}, []string{"keda 2.0.0 3.0.0"}},
		"the shared library":               {[]string{"packages/_common/check.star"}, []string{"keda 2.0.0 3.0.0"}},
		"the tools and a package":          {[]string{"go.mod", "packages/app/package.yml"}, []string{"app 1.0.0", "keda 2.0.0 3.0.0"}},
		"what is not published":            {[]string{"packages/other/package.yml"}, []string{"keda 2.0.0 3.0.0"}},
		"prose":                            {[]string{"README.md"}, []string{"keda 2.0.0 3.0.0"}},
		"a package's page":                 {[]string{"packages/ingress/README.md"}, []string{"keda 2.0.0 3.0.0"}},
		"a package's example values":       {[]string{"packages/ingress/examples/values.yml"}, []string{"keda 2.0.0 3.0.0"}},
		"a package's example":              {[]string{"packages/ingress/examples/route/values.yml"}, []string{"app 1.0.0", "ingress 1.0.0 1.1.0", "serving 1.0.0"}},
		"prose and a package":              {[]string{"README.md", "packages/app/package.yml"}, []string{"app 1.0.0"}},
		"nothing":                          {nil, []string{"keda 2.0.0 3.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			var have []string
			for _, p := range pick(c, test.paths, []string{"keda"}) {
				require.NotEmpty(t, p.why)
				have = append(have, p.name+" "+strings.Join(p.versions, " "))
			}
			require.Equal(t, test.want, have)
		})
	}
}
