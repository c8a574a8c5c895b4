package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionWithoutLock(t *testing.T) {
	tree := good().without("packages/boat/1.2.0/images.lock.yml").
		edit(t, RepositoryFile, "published:\n  boat: [1.2.0]\n", "published: {}\n")
	c, err := Load(tree.write(t))
	require.NoError(t, err, "what is not published needs no lock")
	v := c.Packages[0].Versions[0]
	require.Nil(t, v.Images)
	require.Equal(t, []*Version{v}, c.Unlocked())
	require.Equal(t, "strake images lock boat@1.2.0 --images=upstream", v.Relock(), "an image has no command")

	standIn := v.StandIn()
	require.Nil(t, v.Images)
	require.Len(t, standIn.Images.Images, len(v.Package.Images))
	for i, img := range standIn.Images.Images {
		require.Equal(t, v.Package.Images[i].Reference, img.Reference)
		require.Regexp(t, digestForm, img.Digest)
	}
	require.NotEqual(t, standIn.Images.Images[0].Digest, standIn.Images.Images[1].Digest)
	require.Equal(t, standIn, v.StandIn(), "the same each time")
}

func TestStandInOfALockedVersion(t *testing.T) {
	c, err := Load(good().write(t))
	require.NoError(t, err)
	v := c.Packages[0].Versions[0]
	require.Same(t, v, v.StandIn())
	require.Empty(t, c.Unlocked())
}
