package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// harbour installs boats: good() with the package of that name beside it, which
// is offered.
func harbour(installs string) files {
	fs := good()
	fs["repo/repository.yml"] = strings.Replace(goodRepository, "  boat: [1.2.0]\n", "  boat: [1.2.0]\n  harbour: [0.1.0]\n", 1)
	fs["packages/harbour/package.yml"] = strings.Split(strings.ReplaceAll(goodPackage, "boat", "harbour"), "manifests:")[0]
	fs["packages/harbour/0.1.0/version.yml"] = strings.ReplaceAll(goodVersion, "1.2.0", "0.1.0") + "installs:\n" + installs
	return fs
}

func TestInstalled(t *testing.T) {
	c, err := Load(harbour("  boat: 1.2.0\n").write(t))
	require.NoError(t, err)
	p, err := c.Package("harbour")
	require.NoError(t, err)
	require.Len(t, p.Versions[0].Installed(), 1)
	require.Equal(t, "boat 1.2.0", p.Versions[0].Installed()[0].ID())
	require.Empty(t, p.Versions[0].Installed()[0].Installed())
}

func TestInstalledRefuses(t *testing.T) {
	const at = "packages/harbour/0.1.0/version.yml:10: "
	for name, test := range map[string]struct {
		tree files
		want string
	}{
		"an unknown package":         {harbour("  ship: 1.2.0\n"), at + `no package "ship"; known: boat, harbour`},
		"an unknown version":         {harbour("  boat: 2.0.0\n"), at + `package boat has no version "2.0.0"; known: 1.2.0`},
		"one that installs itself":   {harbour("  harbour: 0.1.0\n"), at + "harbour 0.1.0 installs packages itself"},
		"one that nobody is offered": {harbour("  boat: 1.2.0\n").edit(t, "repo/repository.yml", "  boat: [1.2.0]\n", ""), at + "harbour 0.1.0 is published, but not boat 1.2.0; publish it in repo/repository.yml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(test.tree.write(t))
			require.ErrorContains(t, err, test.want)
		})
	}
}

// TestInstalledGoTogether: what is installed in one go must satisfy its own needs.
func TestInstalledGoTogether(t *testing.T) {
	fs := harbour("  boat: 1.2.0\n  tug: 0.1.0\n")
	fs["packages/tug/package.yml"] = strings.ReplaceAll(fs["packages/harbour/package.yml"], "harbour", "tug")
	fs["packages/tug/0.1.0/version.yml"] = strings.ReplaceAll(goodVersion, "1.2.0", "0.1.0") +
		"requires:\n  - {package: boat, constraint: \">=1.2.0\", reason: to pull}\n"
	fs["packages/boat/1.1.0/version.yml"] = strings.ReplaceAll(goodVersion, "1.2.0", "1.1.0")
	fs.edit(t, "repo/repository.yml", "  harbour: [0.1.0]", "  tug: [0.1.0]\n  harbour: [0.1.0]")
	for _, name := range []string{"go.mod", "go.sum", "images.lock.yml"} {
		fs["packages/boat/1.1.0/"+name] = fs["packages/boat/1.2.0/"+name]
	}
	_, err := Load(fs.write(t))
	require.NoError(t, err)

	fs.edit(t, "repo/repository.yml", "boat: [1.2.0]", "boat: [1.1.0, 1.2.0]").edit(t, "packages/harbour/0.1.0/version.yml", "boat: 1.2.0", "boat: 1.1.0")
	_, err = Load(fs.write(t))
	require.ErrorContains(t, err, "tug 0.1.0 requires boat >=1.2.0 (to pull), but 1.1.0 is selected")
}

// TestPredecessors: published ones that the range admits, and never a newer one.
func TestPredecessors(t *testing.T) {
	p := &Package{Name: "boat"}
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0", "2.0.0", "2.1.0"} {
		p.Versions = append(p.Versions, &Version{Package: p, Version: version, UpgradesFrom: ">=1.1.0"})
	}
	r := Repository{Published: map[string][]string{"boat": {"1.0.0", "1.1.0", "2.0.0", "2.1.0"}}}
	require.Equal(t, []*Version{p.Versions[1]}, r.Predecessors(p.Versions[3]))
	require.Equal(t, []*Version{p.Versions[1], p.Versions[3]}, r.Predecessors(p.Versions[4]))
	require.Empty(t, r.Predecessors(p.Versions[1]))
	p.Versions[4].UpgradesFrom = ""
	require.Empty(t, r.Predecessors(p.Versions[4]))
}
