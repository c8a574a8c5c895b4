package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const fleetPackage = `name: fleet
metadata:
  displayName: Fleet
  shortDescription: Sails
  longDescription: Sails boats
  providerName: Yard
  maintainers: [Yard]
  categories: [ships]
  source: https://example.com/fleet
images:
  - name: hull
    reference: fleet-hull
    from: boat
`

// fleet is a checkout with a second package, which has the first one's image.
func fleet() files {
	lock := strings.SplitN(strings.Replace(goodLock, "ghcr.io/example/hull", "fleet-hull", 1), "  - name: mast", 2)[0]
	return good().
		with("packages/fleet/package.yml", fleetPackage).
		with("packages/fleet/0.1.0/version.yml", strings.Replace(goodVersion, "version: 1.2.0", "version: 0.1.0", 1)+"from: {boat: 1.2.0}\n").
		with("packages/fleet/0.1.0/images.lock.yml", lock)
}

func TestImagesOfOtherPackages(t *testing.T) {
	c, err := Load(fleet().write(t))
	require.NoError(t, err)
	p, err := c.Package("fleet")
	require.NoError(t, err)
	maker, made := p.Versions[0].Maker(p.Images[0])
	require.Equal(t, "boat 1.2.0", maker.ID())
	require.Equal(t, "example.com/boat/cmd/hull", made.Command)

	same, img := maker.Maker(made)
	require.Same(t, maker, same)
	require.Equal(t, made, img)
}

func TestImagesOfOtherPackagesThatAreNotThere(t *testing.T) {
	const (
		pkg     = "packages/fleet/package.yml"
		version = "packages/fleet/0.1.0/version.yml"
		lock    = "packages/fleet/0.1.0/images.lock.yml"
	)
	tests := map[string]struct{ file, old, new, want string }{
		"no version":          {version, "from: {boat: 1.2.0}\n", "", version + ": image hull is made by package boat, but its version is missing"},
		"another version":     {version, "boat: 1.2.0}", "boat: 1.3.0}", version + `: image hull: package boat has no version "1.3.0"; known: 1.2.0`},
		"another package":     {pkg, "from: boat", "from: boot", `image hull is made by package boot, but its version is missing`},
		"a package in vain":   {version, "{boat: 1.2.0}", "{boat: 1.2.0, yard: 1.0.0}", "from names the package yard, which makes no image of this one"},
		"another digest":      {lock, digestA, digestB, lock + `: image hull differs from what boat 1.2.0 locks; run "strake images lock fleet@0.1.0"`},
		"a command beside it": {pkg, "from: boat", "from: boat\n    command: example.com/x", pkg + ":13: an image that boat makes has no command here"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Load(fleet().edit(t, tt.file, tt.old, tt.new).write(t))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestFilesOfGeneratorsAreRead(t *testing.T) {
	_, err := Load(good().
		edit(t, "packages/boat/package.yml", "    user:", "    generate: {command: example.com/boat/cmd/pump, files: [words.yml]}\n    user:").
		edit(t, "packages/boat/package.yml", "    with: [example.com/boat/cmd/pump]\n    links: {/hull: hull, /usr/bin/pump: pump}\n", "").
		with("packages/boat/1.2.0/words.yml", "ahoy: true\n").
		write(t))
	require.NoError(t, err)
}
