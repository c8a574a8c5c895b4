package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// withOptional is the good checkout with the mast optional, and left out where
// version.yml says so.
func withOptional(t *testing.T, leftOut string) files {
	t.Helper()
	const dir = "packages/boat/1.2.0/"
	return good().
		edit(t, "packages/boat/package.yml", "    reference: mast\n", "    reference: mast\n    optional: true\n").
		edit(t, "packages/boat/package.yml", "    path: upstream/boat/config\n", "    path: upstream/boat/config\n    image: mast\n").
		with(dir+"version.yml", goodVersion+leftOut)
}

func TestLoadLeftOut(t *testing.T) {
	const reason = "leftOut:\n  - {image: mast, reason: it is being painted}\n"
	lock, _, _ := strings.Cut(goodLock, "  - name: mast")
	c, err := Load(withOptional(t, reason).with("packages/boat/1.2.0/images.lock.yml", lock).write(t))
	require.NoError(t, err)
	v := c.Packages[0].Versions[0]
	require.Equal(t, []LeftOut{{Image: "mast", Reason: "it is being painted"}}, v.LeftOut)
	require.Equal(t, "hull", v.Offered()[0].Name)
	require.Len(t, v.Offered(), 1)
	require.Equal(t, "upstream/chart", v.Manifests()[0].Path)
	require.Len(t, v.Manifests(), 1)
	require.Len(t, v.Package.Images, 2, "the package keeps its own")

	c, err = Load(withOptional(t, "").write(t))
	require.NoError(t, err)
	require.Len(t, c.Packages[0].Versions[0].Offered(), 2)
	require.Len(t, c.Packages[0].Versions[0].Manifests(), 2)
}

func TestLoadLeftOutErrors(t *testing.T) {
	for name, c := range map[string]struct {
		tree files
		want string
	}{
		"still locked":  {withOptional(t, "leftOut:\n  - {image: mast, reason: r}\n"), `image "mast" is not in package.yml`},
		"not optional":  {withOptional(t, "leftOut:\n  - {image: hull, reason: r}\n"), `image "hull" is no optional image of package.yml; known: mast`},
		"twice":         {withOptional(t, "leftOut:\n  - {image: mast, reason: r}\n  - {image: mast, reason: r}\n"), `image "mast" is left out twice`},
		"without words": {withOptional(t, "leftOut:\n  - {image: mast, reason: ''}\n"), "no reason"},
		"of a manifest": {
			good().edit(t, "packages/boat/package.yml", "    path: upstream/boat/config\n", "    path: upstream/boat/config\n    image: hull\n"),
			`image "hull" is no optional image of this package; there are none`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(c.tree.write(t))
			require.ErrorContains(t, err, c.want)
		})
	}
}
