package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// several is a checkout of two packages, of which boat has two published versions,
// and a third that installs them; dock takes an image of boat.
func several(t *testing.T) files {
	t.Helper()
	tree := good()
	for name, content := range good() {
		if later, ok := strings.CutPrefix(name, "packages/boat/1.2.0/"); ok {
			tree.with("packages/boat/1.3.0/"+later, strings.Replace(content, "version: 1.2.0\n", "version: 1.3.0\nupgradesFrom: \">=1.2.0\"\n", 1))
		}
	}
	own, _, _ := strings.Cut(goodPackage, "manifests:")
	version := func(extra string) string {
		return strings.Replace(goodVersion, "version: 1.2.0\n", "version: 1.0.0\n", 1) + extra
	}
	return tree.
		with("packages/sail/package.yml", strings.Replace(own, "name: boat", "name: sail", 1)).
		with("packages/sail/1.0.0/version.yml", version("requires: [{package: boat, constraint: \">=1.3.0\", reason: It hangs there}]\n")).
		with("packages/fleet/package.yml", strings.Replace(own, "name: boat", "name: fleet", 1)).
		with("packages/fleet/1.0.0/version.yml", version("installs: {boat: 1.3.0}\n")).
		edit(t, "repo/repository.yml", "boat: [1.2.0]", "boat: [1.2.0, 1.3.0]\n  sail: [1.0.0]\n  fleet: [1.0.0]")
}

func TestLoadLeavesOutWhatIsBroken(t *testing.T) {
	const newest = "packages/boat/1.3.0/"
	for name, test := range map[string]struct {
		change func(files) files
		says   string   // the error of the broken version
		left   []string // the versions that are left
	}{
		"nothing":                   {func(f files) files { return f }, "", []string{"boat 1.2.0", "boat 1.3.0", "fleet 1.0.0", "sail 1.0.0"}},
		"no version.yml":            {func(f files) files { return f.without(newest + "version.yml") }, newest + "version.yml: missing; every version requires one", []string{"boat 1.2.0", "sail 1.0.0"}},
		"no lock":                   {func(f files) files { return f.without(newest + "images.lock.yml") }, newest + `images.lock.yml: missing; run "strake images lock boat@1.3.0`, []string{"boat 1.2.0", "sail 1.0.0"}},
		"a syntax error":            {func(f files) files { return f.with(newest+"version.yml", "version: [") }, newest + "version.yml:", []string{"boat 1.2.0", "sail 1.0.0"}},
		"no module":                 {func(f files) files { return f.without(newest + "go.mod") }, newest + "go.mod: missing", []string{"boat 1.2.0", "sail 1.0.0"}},
		"a published older version": {func(f files) files { return f.without("packages/boat/1.2.0/go.sum") }, "packages/boat/1.2.0/go.sum: missing", []string{"boat 1.3.0", "sail 1.0.0"}},
		"a version that is not published": {func(f files) files { return f.with("packages/boat/1.4.0/x.yml", "") },
			"packages/boat/1.4.0/version.yml: missing", []string{"boat 1.2.0", "boat 1.3.0", "fleet 1.0.0", "sail 1.0.0"}},
		"the package": {func(f files) files { return f.with("packages/boat/package.yml", "name: [") }, "packages/boat/package.yml:", []string{"sail 1.0.0"}},
		"both versions": {func(f files) files {
			return f.without(newest + "version.yml").without("packages/boat/1.2.0/version.yml")
		}, "packages/boat/1.2.0/version.yml: missing", []string{"sail 1.0.0"}},
		"a stray folder":   {func(f files) files { return f.with("packages/boat/overlays/x.yml", "") }, "packages/boat/overlays: not a part of a package", []string{"sail 1.0.0"}},
		"a stray file":     {func(f files) files { return f.with("packages/notes.txt", "") }, "packages/notes.txt: an unexpected file", []string{"boat 1.2.0", "boat 1.3.0", "fleet 1.0.0", "sail 1.0.0"}},
		"what nobody uses": {func(f files) files { return f.with("packages/sail/1.0.0/version.yml", "") }, "packages/sail/1.0.0/version.yml:1: the file is empty", []string{"boat 1.2.0", "boat 1.3.0", "fleet 1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := test.change(several(t)).write(t)
			c, err := Load(root, LeaveOutBroken)
			require.NoError(t, err)
			var left []string
			for _, v := range c.Versions() {
				left = append(left, v.ID())
			}
			require.Equal(t, test.left, left)
			for name, versions := range c.Repository.Published {
				for _, version := range versions {
					require.Contains(t, left, name+" "+version, "only what is there is published")
				}
			}
			if test.says == "" {
				require.Empty(t, c.Broken)
				return
			}
			require.ErrorContains(t, c.Broken[0].Err, test.says)
			_, err = Load(root)
			require.ErrorContains(t, err, test.says, "a command that concerns all fails")
		})
	}
}

// TestBrokenByName: whoever asks for what is left out learns why.
func TestBrokenByName(t *testing.T) {
	c, err := Load(several(t).without("packages/boat/1.3.0/version.yml").write(t), LeaveOutBroken)
	require.NoError(t, err)
	require.Equal(t, "boat 1.3.0", c.Broken[0].ID())
	require.Len(t, c.Broken, 1, "fleet itself is not at fault")
	for _, arg := range []string{"boat@1.3.0", "fleet", "fleet@1.0.0"} {
		_, err := c.Select([]string{arg})
		require.ErrorContains(t, err, "packages/boat/1.3.0/version.yml: missing", arg)
	}
	chosen, err := c.Select([]string{"boat", "sail"})
	require.NoError(t, err)
	require.Len(t, chosen, 2)

	c, err = Load(several(t).with("packages/boat/package.yml", "").write(t), LeaveOutBroken)
	require.NoError(t, err)
	_, err = c.Package("boat")
	require.ErrorContains(t, err, "packages/boat/package.yml:1: the file is empty")

	_, err = Load(several(t).with("repo/repository.yml", "").write(t), LeaveOutBroken)
	require.ErrorContains(t, err, "repo/repository.yml:1: the file is empty")
}
