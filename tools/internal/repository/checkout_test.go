package repository_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// checkout is the project's own catalog. A version whose images are not locked
// yet is given digests that nothing has.
func checkout(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	root, err := catalog.FindRoot(".")
	require.NoError(tb, err)
	c, err := catalog.Load(root, catalog.AllowMissingLocks)
	require.NoError(tb, err)
	for _, p := range c.Packages {
		for _, v := range p.Versions {
			if v.Images == nil {
				v.Images = madeUpLock(p)
			}
		}
	}
	return c
}

func madeUpLock(p *catalog.Package) *catalog.ImagesLock {
	lock := &catalog.ImagesLock{Source: catalog.FromModule}
	for i, image := range p.Images {
		digest := "sha256:" + strings.Repeat(fmt.Sprintf("%02x", i+1), 32)
		lock.Images = append(lock.Images, catalog.LockedImage{Name: image.Name, Reference: image.Reference, Digest: digest})
	}
	return lock
}
