package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func TestCancelLeavesNothing(t *testing.T) {
	v := newVersion(t)
	// From before the go command starts to while it compiles and links.
	for _, delay := range []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond} {
		t.Run(fmt.Sprintf("after %s", delay), func(t *testing.T) {
			freshCache(t)
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			// The second command, so that the first has left its work.
			s := &steps{then: func(line string) {
				if strings.Contains(line, ": compiling example.test/commands/cmd/server") {
					time.AfterFunc(delay, cancel)
				}
			}}
			if _, err := Lock(progress.With(ctx, s), v, Options{}); err != nil {
				require.ErrorIs(t, err, context.Canceled)
				require.Empty(t, cachedNames(t))
			}
			require.Empty(t, filesBelow(t, tmp))
			_, err := Lock(t.Context(), v, Options{})
			require.NoError(t, err)
		})
	}
}

// filesBelow leaves folders out: "go env", when killed, may leave an empty one.
func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	}))
	return files
}

func TestTwoBuildsAtOnceCompileOnce(t *testing.T) {
	v := locked(t)
	freshCache(t)
	s := &steps{}
	ctx := progress.With(t.Context(), s)
	var group errgroup.Group
	for range 2 {
		group.Go(func() error { _, err := Build(ctx, v, Options{}); return err })
	}
	require.NoError(t, group.Wait())
	require.Equal(t, 2, s.compiled(), "one for each command")
}

func TestCachedImageNeedsNoProcess(t *testing.T) {
	v := locked(t)
	t.Setenv("PATH", "")
	_, err := Build(t.Context(), v, Options{})
	require.NoError(t, err)

	freshCache(t)
	_, err = Build(t.Context(), v, Options{})
	require.ErrorContains(t, err, "the go command is not on PATH: install Go")
}

func TestBrokenCacheIsMadeAgain(t *testing.T) {
	v := locked(t)
	layers := func() (names []string) {
		artifacts, err := Build(t.Context(), v, Options{})
		require.NoError(t, err)
		img := platformOf(t, artifacts[0])
		all, err := img.Layers()
		require.NoError(t, err)
		dir, err := cache.Dir(CacheKind, strings.TrimPrefix(v.Images.Images[0].Inputs, "sha256:"))
		require.NoError(t, err)
		for _, l := range all {
			digest, err := l.Digest()
			require.NoError(t, err)
			names = append(names, filepath.Join(dir, "blobs", "sha256", digest.Hex))
		}
		return names
	}()
	tests := map[string]struct {
		harm    func(t *testing.T, file string)
		options Options
	}{
		"gone": {harm: func(t *testing.T, file string) {
			t.Helper()
			require.NoError(t, os.Remove(file))
		}},
		"cut off": {harm: func(t *testing.T, file string) {
			t.Helper()
			require.NoError(t, os.Truncate(file, 3))
		}},
		"altered": {harm: alter, options: Options{Rehash: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before, err := os.ReadFile(layers[0])
			require.NoError(t, err)
			test.harm(t, layers[0])
			s := &steps{}
			_, err = Build(progress.With(t.Context(), s), v, test.options)
			require.NoError(t, err)
			require.Equal(t, 2, s.compiled())
			after, err := os.ReadFile(layers[0])
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

func TestDamagedLayerIsMadeAgainWhenItIsRead(t *testing.T) {
	v := locked(t)
	artifacts, err := Build(t.Context(), v, Options{})
	require.NoError(t, err)
	dir, err := cache.Dir(CacheKind, strings.TrimPrefix(v.Images.Images[0].Inputs, "sha256:"))
	require.NoError(t, err)
	images := []v1.Image{platformOf(t, artifacts[0]), artifacts[0].Attached[0].Image}
	for _, img := range images {
		layers, err := img.Layers()
		require.NoError(t, err)
		digest, err := layers[0].Digest()
		require.NoError(t, err)
		alter(t, filepath.Join(dir, "blobs", "sha256", digest.Hex))

		said := &steps{}
		artifacts, err := Build(progress.With(t.Context(), said), v, Options{})
		require.NoError(t, err)
		require.Zero(t, said.compiled(), "nobody has read it")
		all, err := platformOf(t, artifacts[0]).Layers()
		require.NoError(t, err)
		sbom, err := artifacts[0].Attached[0].Image.Layers()
		require.NoError(t, err)
		for _, layer := range append(all, sbom...) {
			requireDigest(t, layer)
		}
		require.Equal(t, 2, said.compiled(), "one for each command")
		require.True(t, slices.ContainsFunc(said.lines, func(line string) bool { return strings.Contains(line, "is damaged") }), said.lines)
	}
}

func requireDigest(t *testing.T, layer v1.Layer) {
	t.Helper()
	want, err := layer.Digest()
	require.NoError(t, err)
	stream, err := layer.Compressed()
	require.NoError(t, err)
	got, _, err := v1.SHA256(stream)
	require.NoError(t, errors.Join(err, stream.Close()))
	require.Equal(t, want, got)
}

func alter(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(file, content, 0o644))
}
