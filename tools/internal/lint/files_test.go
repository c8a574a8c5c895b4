package lint

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestTwins(t *testing.T) {
	named := func(apiVersion, kind, namespace, name string) string {
		return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: " + namespace + "}\n"
	}
	for name, test := range map[string]struct {
		other, intoNs string
		want          bool
	}{
		"the same":          {named("apps/v1", "Deployment", "sea", "boat"), "", true},
		"another version":   {named("apps/v1beta1", "Deployment", "sea", "boat"), "", true},
		"another group":     {named("boats.test/v1", "Deployment", "sea", "boat"), "", false},
		"another kind":      {named("apps/v1", "StatefulSet", "sea", "boat"), "", false},
		"another namespace": {named("apps/v1", "Deployment", "lake", "boat"), "", false},
		"no namespace":      {named("apps/v1", "Deployment", `""`, "boat"), "", false},
		"put into the same": {named("apps/v1", "Deployment", `""`, "boat"), "sea", true},
		"another name":      {named("apps/v1", "Deployment", "sea", "ship"), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			found := twins(objects(t, named("apps/v1", "Deployment", "sea", "boat"), test.other), test.intoNs)
			require.Equal(t, test.want, len(found) == 1)
			if test.want {
				require.Contains(t, found[0].Message, "the package contains this object twice (the first is at upstream/boat.yml:7)")
			}
		})
	}
	config := "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\n"
	require.Empty(t, twins(objects(t, config, config), ""), "kapp reads any number of them")
}

func TestTags(t *testing.T) {
	p := &catalog.Package{Name: "boat"}
	of := func(version string) *subject {
		return &subject{version: &catalog.Version{Package: p, Version: version}}
	}
	s := of("1.1.0+strake.2")
	s.older = []*subject{of("1.0.0"), of("1.1.0-strake.2"), of("1.1.0")}
	found := checkTags(s)
	require.Equal(t, []string{"its bundle has the same tag boat-1.1.0-strake.2 as the bundle of 1.1.0-strake.2"}, messages(found))
}

func TestProof(t *testing.T) {
	s := &subject{version: &catalog.Version{Package: &catalog.Package{Name: "boat"}}, packageFile: "packages/boat/package.yml"}
	require.Empty(t, checkProof(s), "nobody is offered it")
	s.published = true
	require.Equal(t, "packages/boat/package.yml", checkProof(s)[0].File)
	s.version.Package.Proof = "it floats"
	require.Empty(t, checkProof(s))
}

func TestPermissions(t *testing.T) {
	s := &subject{version: &catalog.Version{Package: &catalog.Package{Name: "boat"}}, packageFile: "packages/boat/package.yml"}
	require.Empty(t, checkProfiles(s), "nobody is offered it")
	s.published = true
	require.Equal(t, "packages/boat/package.yml", checkProfiles(s)[0].File)
	s.version.Package.Profiles = []*catalog.Profile{{Name: "base"}}
	require.Empty(t, checkProfiles(s))
}

// TestRunFindsBackups: wherever they lie, once each, and none of them is packed.
func TestRunFindsBackups(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	c := checkout(t, map[string]string{
		"packages/boat/vendir.yml":                 inline(goodPod),
		"packages/boat/config/schema.yml":          "#@data/values-schema\n---\n#@schema/desc \"Where\"\nnamespace: harbour\n",
		"packages/boat/config/schema.yml~":         "#@data/values-schema\n---\n- not: {a: schema",
		"packages/boat/config/overlays/x.yml.orig": "kind: Rubbish",
		"packages/boat/config/overlays/.x.yml.swp": "",
		"packages/boat/1.0.0/version.yml.rej":      "",
		"packages/boat/test/a.bak/values.yml":      "no: value",
		"packages/_common/#check.star#":            "",
		"config/dev/overlays/boat/.DS_Store":       "",
	})
	versions, err := c.Select(nil)
	require.NoError(t, err)
	findings, err := Run(context.Background(), c, versions)
	require.NoError(t, err)
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	const says = "a backup file of an editor or a merge tool; remove it, or rename it if a package uses it (editor-backup)"
	require.Equal(t, []string{
		"config/dev/overlays/boat/.DS_Store: " + says,
		"packages/_common/#check.star#: " + says,
		"packages/boat/1.0.0/version.yml.rej: boat: " + says,
		"packages/boat/config/overlays/.x.yml.swp: boat: " + says,
		"packages/boat/config/overlays/x.yml.orig: boat: " + says,
		"packages/boat/config/schema.yml~: boat: " + says,
		"packages/boat/test/a.bak: boat: " + says,
	}, lines)
}
