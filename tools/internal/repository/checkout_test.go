package repository_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// checkout is the project's own catalog. A version whose images are not locked
// yet has digests that stand in.
func checkout(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	root, err := catalog.FindRoot(".")
	require.NoError(tb, err)
	c, err := catalog.Load(root, catalog.AllowMissingLocks)
	require.NoError(tb, err)
	for _, p := range c.Packages {
		for _, v := range p.Versions {
			v.Images = v.StandIn().Images
		}
	}
	return c
}
