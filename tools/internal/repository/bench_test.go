package repository_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// BenchmarkBuildWarm is "strake build" of this checkout with nothing changed.
func BenchmarkBuildWarm(b *testing.B) {
	c := checkout(b)
	_, err := repository.Build(context.Background(), c, repository.Options{})
	require.NoError(b, err)
	for b.Loop() {
		_, err := repository.Build(context.Background(), c, repository.Options{})
		require.NoError(b, err)
	}
}

// BenchmarkBuildChanged is a build in which every bundle must be made again
// from objects that are in the cache, as after a change of an overlay.
func BenchmarkBuildChanged(b *testing.B) {
	b.Setenv(cache.EnvDir, b.TempDir())
	c := checkout(b)
	_, err := repository.Build(context.Background(), c, repository.Options{})
	require.NoError(b, err)
	for b.Loop() {
		// A bundle's key holds the canonical repository.
		c.Repository.Canonical = fmt.Sprintf("registry.test/run-%d/%d", b.N, b.Elapsed())
		_, err := repository.Build(context.Background(), c, repository.Options{})
		require.NoError(b, err)
	}
}

// BenchmarkRender is what kapp-controller does with the largest bundle.
func BenchmarkRender(b *testing.B) {
	r, err := repository.Build(context.Background(), checkout(b), repository.Options{})
	require.NoError(b, err)
	for b.Loop() {
		_, err := bundle.Render(context.Background(), r.Bundles[0], nil, bundle.RenderOptions{})
		require.NoError(b, err)
	}
}
