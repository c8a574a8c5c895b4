package platform

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster"
)

// newCatalog has the published packages app (two versions, of which the newer
// one is not offered) and extra, boot, which comes before all of them, and
// draft, which nobody is offered yet.
func newCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	c := &catalog.Catalog{
		Root: t.TempDir(),
		Repository: catalog.Repository{
			Domain: "strake.test", Canonical: "registry.strake.test/strake/platform",
			Published: map[string][]string{"app": {"1.0.0"}, "extra": {"0.1.0"}},
			Bootstrap: []string{"boot"},
		},
	}
	for _, list := range [][]string{{"app", "1.0.0", "2.0.0"}, {"boot", "0.9.0", "1.0.0"}, {"draft", "0.1.0"}, {"extra", "0.1.0"}} {
		p := &catalog.Package{Name: list[0]}
		for _, version := range list[1:] {
			p.Versions = append(p.Versions, &catalog.Version{Package: p, Version: version})
		}
		c.Packages = append(c.Packages, p)
	}
	return c
}

func versions(t *testing.T, c *catalog.Catalog, args ...string) []*catalog.Version {
	t.Helper()
	chosen, err := c.Select(args)
	require.NoError(t, err)
	return chosen
}

func TestDefault(t *testing.T) {
	c := newCatalog(t)
	require.Equal(t, versions(t, c, "app@1.0.0", "extra"), Default(c))
	require.Equal(t, versions(t, c, "app@1.0.0"), Default(c, "app"))
	require.Empty(t, Default(c, "boot"), "not published")
}

const checks = "check this machine and the values of the packages; build the bundles of the repository"

func TestSteps(t *testing.T) {
	c := newCatalog(t)
	chosen := versions(t, c, "app@1.0.0")
	plan, err := New(c, Options{Packages: chosen, Namespace: "here", Example: &catalog.Example{Name: "show", Package: chosen[0].Package}})
	require.NoError(t, err)
	require.Equal(t, []string{
		checks,
		"create the cluster and its registry",
		"push the bundles to the cluster's registry",
		"build the images of boot 1.0.0",
		"deploy boot 1.0.0 with kapp",
		"add the package repository in kapp-controller-packaging-global",
		"build the images of app 1.0.0",
		"install app 1.0.0 in the namespace here",
		"run the example show of app",
	}, plan.Steps())
}

func TestStepsAddWhatIsRequired(t *testing.T) {
	c := newCatalog(t)
	app := versions(t, c, "app@1.0.0")
	app[0].Requires = []catalog.Requirement{{Package: "extra", Constraint: ">=0.1.0", Reason: "to have more"}}
	plan, err := New(c, Options{Packages: app, Namespace: "here"})
	require.NoError(t, err)
	require.Equal(t, []string{
		"build the images of extra 0.1.0",
		"install extra 0.1.0 in the namespace here, which app 1.0.0 requires",
		"build the images of app 1.0.0",
		"install app 1.0.0 in the namespace here",
	}, plan.Steps()[6:])

	app[0].Requires[0].Constraint = ">=2.0.0"
	_, err = New(c, Options{Packages: versions(t, c, "app@1.0.0", "extra@0.1.0")})
	require.ErrorContains(t, err, "app 1.0.0 requires extra >=2.0.0 (to have more), but 0.1.0 is selected; choose another version")
}

// TestInstallsWaitForWhatTheyRequire alone, and for their own images.
func TestInstallsWaitForWhatTheyRequire(t *testing.T) {
	c := newCatalog(t)
	after := func() []string {
		plan, err := New(c, Options{Packages: versions(t, c, "app@1.0.0", "extra"), Namespace: "here"})
		require.NoError(t, err)
		var says []string
		for _, step := range plan.outline() {
			if step.says == "install app 1.0.0 in the namespace here" {
				for _, before := range step.after {
					says = append(says, before.says)
				}
			}
		}
		return says
	}
	const offer = "add the package repository in kapp-controller-packaging-global"
	require.Equal(t, []string{"build the images of app 1.0.0", offer}, after(), "beside extra")
	versions(t, c, "app@1.0.0")[0].Requires = []catalog.Requirement{{Package: "extra", Constraint: ">=0.1.0", Reason: "to have more"}}
	require.Equal(t, []string{"build the images of app 1.0.0", offer, "install extra 0.1.0 in the namespace here"}, after())
}

func TestStepsForStorage(t *testing.T) {
	c := newCatalog(t)
	c.Repository.Storage = "draft"
	steps := func(o Options) []string {
		plan, err := New(c, o)
		require.NoError(t, err)
		return plan.Steps()
	}
	const storage = "deploy draft 0.1.0 with kapp, if the cluster has no storage"
	require.Contains(t, steps(Options{}), storage)
	require.NotContains(t, steps(Options{Cluster: devcluster.Options{Context: "theirs"}}), storage, "an existing cluster has its own")
}

func TestPlanWithoutPackages(t *testing.T) {
	plan, err := New(newCatalog(t), Options{})
	require.NoError(t, err)
	require.Len(t, plan.Steps(), 6, "a cluster that offers the repository and has nothing installed")
}

func TestNewRefuses(t *testing.T) {
	c := newCatalog(t)
	for _, test := range []struct {
		name string
		args []string
		says string
	}{
		{"a version that is not offered", []string{"app@2.0.0"}, "app 2.0.0 is not published in repo/repository.yml"},
		{"a package of the project's own", []string{"boot@1.0.0"}, "boot 1.0.0 is not published"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(c, Options{Packages: versions(t, c, test.args...)})
			require.ErrorContains(t, err, test.says)
		})
	}
	t.Run("two versions of one package", func(t *testing.T) {
		c.Repository.Published["app"] = []string{"1.0.0", "2.0.0"}
		_, err := New(c, Options{Packages: versions(t, c, "app")})
		require.ErrorContains(t, err, "app 1.0.0 and app 2.0.0 cannot both be installed: choose one")
	})
}

func TestUpStopsWhenToldTo(t *testing.T) {
	plan, err := New(newCatalog(t), Options{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = plan.Up(ctx)
	require.ErrorIs(t, err, ctx.Err())
}

func TestValues(t *testing.T) {
	c := newCatalog(t)
	for name, text := range map[string]string{
		"config/base/values.yml":       "packages:\n  app: {values: {tall: true, small: false}}\n",
		"config/dev/environment.yml":   "description: Small\nkubernetes: 1.34.0\n",
		"config/dev/values.yml":        "packages:\n  app: {values: {small: true}}\n",
		"config/dev/packages/boot.yml": "tiny: true\n",
	} {
		file := filepath.Join(c.Root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	mine := filepath.Join(c.Root, "mine.yml")
	require.NoError(t, os.WriteFile(mine, []byte("mine: true\n"), 0o644))

	values, err := Values(t.Context(), c, nil)
	require.NoError(t, err)
	require.Len(t, values, 2)
	text := func(name string) string {
		require.Len(t, values[name].Values, 1)
		return string(values[name].Values[0].Data)
	}
	require.Equal(t, "tall: true\nsmall: true\n", text("app"))
	require.Equal(t, "tiny: true\n", text("boot"))

	values, err = Values(t.Context(), c, map[string]string{"app": mine})
	require.NoError(t, err)
	require.Equal(t, "mine: true\n", text("app"), "a user's own values take the place of the development ones")
	require.Equal(t, "tiny: true\n", text("boot"))

	_, err = Values(t.Context(), c, map[string]string{"nope": mine})
	require.ErrorContains(t, err, `no package "nope"`)
	_, err = Values(t.Context(), c, map[string]string{"app": filepath.Join(c.Root, "nope.yml")})
	require.ErrorContains(t, err, "reading the values of app")
}
