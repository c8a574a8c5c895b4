package catalog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func shores() files {
	return good().
		with("config/base/values.yml", "namespace: all\npackages:\n  boat: {enabled: true, values: {sails: 2, colours: [red, blue]}}\n").
		with("config/base/overlays/boat/paint.yml", "base's").
		with("config/calm/environment.yml", "description: No wind\nkubernetes: 1.34.4\n").
		with("config/rough/environment.yml", "description: Wind\nkubernetes: 1.35.0\nkappController: 0.51.0\nregistry: registry.example/boats\n").
		with("config/rough/values.yml", "packages:\n  boat: {values: {sails: 1, colours: [grey], ratio: 1.5}}\n").
		with("config/rough/overlays/boat/paint.yml", "its own").
		with("config/rough/packages/boat.yml", "anchor: true\n").
		with("config/rough/README.md", "for people")
}

func TestEnvironment(t *testing.T) {
	c, err := Load(shores().write(t))
	require.NoError(t, err)
	names, err := c.Environments()
	require.NoError(t, err)
	require.Equal(t, []string{"calm", "rough"}, names)

	e, err := c.Environment("rough")
	require.NoError(t, err)
	require.Equal(t, []string{"rough", "Wind", "1.35.0", "0.51.0", "registry.example/boats"},
		[]string{e.Name, e.Description, e.Kubernetes, e.KappController, e.Registry})
	require.Equal(t, map[string][]byte{"boat": []byte("anchor: true\n")}, e.Beside)
	file := func(name string) Source {
		text, err := os.ReadFile(filepath.Join(c.Root, name))
		require.NoError(t, err)
		return Source{Name: name, Data: text}
	}
	require.Equal(t, []Source{
		file("config/base/values.yml"),
		// The base's comes before: kapp-controller sorts them by name.
		{"config/base/overlays/boat", []byte(`{"packages":{"boat":{"overlays":{"1-base-paint.yml":"base's"}}}}`), true},
		file("config/rough/values.yml"),
		{"config/rough/overlays/boat", []byte(`{"packages":{"boat":{"overlays":{"2-rough-paint.yml":"its own"}}}}`), true},
	}, e.Sources)

	calm, err := c.Environment("calm")
	require.NoError(t, err)
	require.Len(t, calm.Sources, 2, "the other environment's values are not there")
}

func TestEnvironmentRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		tree files
		want string
	}{
		"no environment.yml":       {shores().without("config/rough/environment.yml"), "config/rough/environment.yml: missing"},
		"an unknown field":         {shores().with("config/rough/environment.yml", "description: a\nkubernetes: 1.34.4\nregion: b\n"), `config/rough/environment.yml:3: unknown field "region"`},
		"a wrong version":          {shores().with("config/rough/environment.yml", "description: a\nkubernetes: latest\n"), `config/rough/environment.yml:2: kubernetes "latest" is not a version such as 1.34.4 or 1.34.4-eks-3025e55`},
		"a registry with a tag":    {shores().with("config/rough/environment.yml", "description: a\nkubernetes: 1.34.4\nregistry: r.example/a:1\n"), `config/rough/environment.yml:3: "r.example/a:1" names the tag`},
		"an object without a kind": {shores().with("config/rough/environment.yml", "description: a\nkubernetes: 1.34.4\nobjects:\n- {name: x}\n"), `config/rough/environment.yml:4: missing field "objects[0].kind"`},
		"an API without a version": {shores().with("config/rough/environment.yml", "description: a\nkubernetes: 1.34.4\napis: [v1, monitoring.coreos.com]\n"), `config/rough/environment.yml:3: api "monitoring.coreos.com" is not GROUP/VERSION`},
		"a registry with a scheme": {shores().with("config/rough/environment.yml", "description: a\nkubernetes: 1.34.4\nregistries: [\"https://r.example\"]\n"), `config/rough/environment.yml:3: registry "https://r.example" is not HOST or HOST/PATH`},
		"a value twice":            {shores().with("config/base/values.yml", "namespace: a\nnamespace: b\n"), "config/base/values.yml:2: namespace: the key occurs twice, first on line 1; remove one of them"},
		"a misspelt file":          {shores().with("config/rough/value.yml", ""), "config/rough/value.yml: nothing reads this; known here: environment.yml, values.yml"},
		"a stray file of base":     {shores().with("config/base/environment.yml", ""), "config/base/environment.yml: nothing reads this"},
		"an overlay of nobody":     {shores().with("config/rough/overlays/a.yml", ""), "config/rough/overlays/a.yml: an unexpected file: only folders named after packages belong here"},
		"an overlay that is not":   {shores().with("config/rough/overlays/boat/a b.yml", ""), "config/rough/overlays/boat/a b.yml: not an overlay"},
		"values of nobody":         {shores().with("config/rough/packages/ship.yml", ""), `config/rough/packages/ship.yml: no package "ship"; known: boat`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(test.tree.write(t))
			require.NoError(t, err)
			_, err = c.Environment("rough")
			require.ErrorContains(t, err, test.want)
		})
	}
	c, err := Load(shores().write(t))
	require.NoError(t, err)
	_, err = c.Environment("stormy")
	require.EqualError(t, err, `no environment "stormy"; known: calm, rough`)
	_, err = c.Platform()
	require.ErrorContains(t, err, "repo/repository.yml names no platform")
}

func TestRelease(t *testing.T) {
	for version, want := range map[string]string{
		"1.34.4": "1.34.4", "v1.34.4": "1.34.4", "1.34": "1.34.0", "": "",
		"1.34.0-gke.1709000": "1.34.0", "v1.34.4-eks-3025e55": "1.34.4", "v1.33.5+k3s1": "1.33.5", "v1.32.0+rke2r1": "1.32.0", "1.31.4-alpha.1+a": "1.31.4",
	} {
		got, err := Release(version)
		require.NoError(t, err, version)
		require.Equal(t, want, got)
	}
	_, err := Release("latest")
	require.Error(t, err)
	c, err := Load(shores().with("config/rough/environment.yml", "description: a\nkubernetes: v1.34.0-gke.1709000\n").write(t))
	require.NoError(t, err)
	e, err := c.Environment("rough")
	require.NoError(t, err)
	require.Equal(t, "v1.34.0-gke.1709000", e.Kubernetes)
}

func TestPlatform(t *testing.T) {
	fs := shores().edit(t, "repo/repository.yml", "published:", "platform: boat\npublished:")
	c, err := Load(fs.write(t))
	require.NoError(t, err)
	v, err := c.Platform()
	require.NoError(t, err)
	require.Equal(t, "boat 1.2.0", v.ID())
	_, err = Load(fs.edit(t, "repo/repository.yml", "platform: boat", "platform: ship").write(t))
	require.ErrorContains(t, err, `repo/repository.yml:4: package "ship" is not in packages/`)
}
