package repository_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// What is committed in repo/ is what a rebuild gives, from nothing but the
// sources and the locks, and the cache answers the same.
func TestCommittedFiles(t *testing.T) {
	root, err := catalog.FindRoot(".")
	require.NoError(t, err)
	c, err := catalog.Load(root)
	require.NoError(t, err)
	_, findings, err := repository.Verify(context.Background(), c)
	require.NoError(t, err)
	require.Empty(t, findings, `run "make generate" and look at what changed`)

	findings, err = build(t, c, repository.Options{}).Compare(c)
	require.NoError(t, err)
	require.Empty(t, findings, "the cache holds something else: raise objectsFormat or bundle.Format")
}
