package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// convoy has packages without an upstream or images beside the boat. A version
// is "NAME VERSION" and its needs are YAML.
func convoy(versions map[string]string) files {
	fs := good()
	published := map[string][]string{"boat": {"1.2.0"}}
	for id, requires := range versions {
		name, version, _ := strings.Cut(id, " ")
		published[name] = append(published[name], version)
		fs.with("packages/"+name+"/package.yml", strings.Replace(strings.Split(goodPackage, "manifests:")[0], "name: boat", "name: "+name, 1)+"manifests: [{kind: plain, path: a}]\nimages: []\n")
		fs.with("packages/"+name+"/"+version+"/version.yml", strings.Replace(goodVersion, "1.2.0", version, 1)+requires)
		fs.with("packages/"+name+"/"+version+"/images.lock.yml", "source: upstream\nimages: []\n")
	}
	lines := []string{strings.Split(goodRepository, "published:")[0] + "published:"}
	for name, list := range published {
		lines = append(lines, "  "+name+": ["+strings.Join(list, ", ")+"]")
	}
	return fs.with("repo/repository.yml", strings.Join(lines, "\n")+"\n")
}

func requires(list ...string) string { return "requires:\n" + strings.Join(list, "\n") + "\n" }

func need(name, constraint, more string) string {
	return `  - {package: ` + name + `, constraint: "` + constraint + `", reason: to float` + more + `}`
}

func TestRequirementErrors(t *testing.T) {
	for name, test := range map[string]struct {
		versions map[string]string
		want     []string
	}{
		"unknown package": {map[string]string{"sail 1.0.0": requires(need("bote", ">=1.0.0", ""))},
			[]string{`packages/sail/1.0.0/version.yml:10: no package "bote"; did you mean boat?`}},
		"bad range": {map[string]string{"sail 1.0.0": requires(need("boat", "newest", ""))},
			[]string{`sail/1.0.0/version.yml:10: requires[0].constraint "newest" is not a range of versions`}},
		"no such version": {map[string]string{"sail 1.0.0": requires(need("boat", ">=2.0.0", ""))},
			[]string{`sail/1.0.0/version.yml:10: no version of boat is in the range ">=2.0.0"; known: 1.2.0`}},
		"no reason": {map[string]string{"sail 1.0.0": requires(`  - {package: boat, constraint: ">=1.0.0"}`)},
			[]string{`sail/1.0.0/version.yml:10: missing field "requires[0].reason"`}},
		"unknown field": {map[string]string{"sail 1.0.0": requires(need("boat", ">=1.0.0", ", maybe: true"))},
			[]string{`sail/1.0.0/version.yml:10: unknown field "maybe"; known: package, constraint, optional, when, api, reason`}},
		"condition of what is needed always": {map[string]string{"sail 1.0.0": requires(need("boat", ">=1.0.0", ", when: values.wind"))},
			[]string{`sail/1.0.0/version.yml:10: a need with a condition is optional; add optional: true`}},
		"api": {map[string]string{"sail 1.0.0": requires(need("boat", ">=1.0.0", ", api: boats"))},
			[]string{`sail/1.0.0/version.yml:10: api "boats" is not GROUP/VERSION`}},
		"twice": {map[string]string{"sail 1.0.0": requires(need("boat", ">=1.0.0", ""), need("boat", "<2.0.0", ""))},
			[]string{`sail/1.0.0/version.yml:11: package "boat" is also used by requires[0]`}},
		"itself": {map[string]string{"sail 1.0.0": requires(need("sail", ">=1.0.0", ""))},
			[]string{`sail/1.0.0/version.yml:10: sail requires itself`}},
		"a cycle": {map[string]string{
			"sail 1.0.0": requires(need("mast", ">=1.0.0", "")), "mast 1.0.0": requires(need("boat", ">=1.0.0", ""), need("deck", ">=1.0.0", ", optional: true")),
			"deck 1.0.0": requires(need("sail", ">=1.0.0", ""))},
			[]string{`packages/mast/1.0.0/version.yml:11: a dependency cycle: deck requires sail requires mast requires deck`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(convoy(test.versions).write(t))
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(test.want), "%s", err)
			for i, want := range test.want {
				require.Contains(t, lines[i], want)
			}
		})
	}
}

func TestRequiredMustBePublished(t *testing.T) {
	fs := convoy(map[string]string{"sail 1.0.0": requires(need("boat", ">=1.0.0", ""))}).edit(t, "repo/repository.yml", "  boat: [1.2.0]\n", "")
	_, err := Load(fs.write(t))
	require.EqualError(t, err, `packages/sail/1.0.0/version.yml:10: sail 1.0.0 is published, but no version of boat in the range ">=1.0.0"; publish one in repo/repository.yml`)
	fs.edit(t, "packages/sail/1.0.0/version.yml", "to float}", "to float, optional: true}")
	_, err = Load(fs.write(t))
	require.NoError(t, err, "what is optional need not be offered")
}

func TestInstallOrder(t *testing.T) {
	c, err := Load(convoy(map[string]string{
		"anchor 1.0.0": requires(need("winch", ">=1.0.0 <3.0.0", ""), need("deck", ">=1.0.0", ", optional: true")),
		"crew 1.0.0":   requires(need("anchor", ">=1.0.0", ""), need("winch", "<2.0.0", "")),
		"deck 1.0.0":   "",
		"winch 1.0.0":  "", "winch 2.0.0": "", "winch 3.0.0": "",
	}).write(t))
	require.NoError(t, err)
	order := func(args ...string) (ids []string, err error) {
		chosen, err := c.Select(args)
		require.NoError(t, err)
		needed, err := c.InstallOrder(chosen)
		for _, n := range needed {
			id := []string{n.ID()}
			for _, by := range n.By {
				id = append(id, by.ID())
			}
			ids = append(ids, strings.Join(id, " for "))
		}
		return ids, err
	}
	for _, test := range []struct {
		args, want []string
	}{
		{nil, nil},
		{[]string{"deck"}, []string{"deck 1.0.0"}},
		{[]string{"anchor"}, []string{"winch 2.0.0 for anchor 1.0.0", "anchor 1.0.0"}},
		{[]string{"anchor", "winch@1.0.0"}, []string{"winch 1.0.0", "anchor 1.0.0"}},
		{[]string{"anchor", "deck"}, []string{"winch 2.0.0 for anchor 1.0.0", "deck 1.0.0", "anchor 1.0.0"}},
		{[]string{"crew"}, []string{"winch 1.0.0 for crew 1.0.0 for anchor 1.0.0", "anchor 1.0.0 for crew 1.0.0", "crew 1.0.0"}},
	} {
		if test.args == nil {
			continue // Select takes no argument for all
		}
		have, err := order(test.args...)
		require.NoError(t, err)
		require.Equal(t, test.want, have)
	}
	_, err = order("anchor", "winch@3.0.0")
	require.EqualError(t, err, "anchor 1.0.0 requires winch >=1.0.0 <3.0.0 (to float), but 3.0.0 is selected; choose another version of one of them")
}
