package repository_test

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/repository"
)

const generated = "repo/packages/boat.strake.test/"

func build(t *testing.T, c *catalog.Catalog, o repository.Options) *repository.Repository {
	t.Helper()
	r, err := repository.Build(context.Background(), c, o)
	require.NoError(t, err)
	return r
}

func TestBuild(t *testing.T) {
	c := newTree(t, nil)
	r := build(t, c, repository.Options{})
	require.Equal(t, []string{"repo/bundle.lock.yml", generated + "1.0.0.yml", generated + "1.1.0.yml", generated + "metadata.yml"},
		slices.Sorted(maps.Keys(r.Files)), "tender is not published")
	require.Len(t, r.Bundles, 2)
	require.Equal(t, []string{"0.1.0"}, r.Image.Tags)
	require.Contains(t, string(r.Files["repo/bundle.lock.yml"]), "image: registry.test/strake/boats@"+r.Image.Digest)
	require.Contains(t, string(r.Files[generated+"1.1.0.yml"]), "image: "+r.Bundles[1].Reference())
	require.Same(t, r.Bundles[1], r.Bundle(c.Packages[0].Versions[1]))
	require.Nil(t, r.Bundle(c.Packages[1].Versions[0]))
}

// The digests are those of the sources and of nothing else: not of the
// folder, the cache, the number of jobs, or what runs at the same time.
func TestBuildIsReproducible(t *testing.T) {
	first := build(t, newTree(t, nil), repository.Options{})
	c := newTree(t, nil)
	for _, o := range []repository.Options{{Jobs: 1}, {Jobs: 8}, {Fresh: true}} {
		again := build(t, c, o)
		require.Equal(t, first.Image.Digest, again.Image.Digest)
		require.Equal(t, first.Files, again.Files)
	}
	cached := build(t, c, repository.Options{}).Bundles[0]
	require.Equal(t, first.Bundles[0].Files, cached.Files)
	digest, err := cached.Image.Image.Digest()
	require.NoError(t, err)
	require.Equal(t, first.Bundles[0].Digest, digest.String(), "of the image from the cache")
}

func TestConcurrentBuilds(t *testing.T) {
	c := newTree(t, nil)
	digests := make([]string, 4)
	var group errgroup.Group
	for i := range digests {
		group.Go(func() error {
			r, err := repository.Build(context.Background(), c, repository.Options{})
			if err != nil {
				return err
			}
			digests[i] = r.Image.Digest
			return r.Write(context.Background(), c)
		})
	}
	require.NoError(t, group.Wait())
	require.Len(t, slices.Compact(digests), 1)
	_, findings, err := repository.Verify(context.Background(), c)
	require.NoError(t, err)
	require.Empty(t, findings)
	entries, err := os.ReadDir(filepath.Join(c.Root, filepath.FromSlash(generated)))
	require.NoError(t, err)
	require.Len(t, entries, 3, "no temporary file is left")
}

// steps counts what a build says that it does.
type steps struct {
	progress.Reporter
	lines []string
}

func (s *steps) Step(format string, _ ...any) { s.lines = append(s.lines, format) }

func TestWarmBuildDoesNothing(t *testing.T) {
	c := newTree(t, nil)
	build(t, c, repository.Options{})
	heard := &steps{Reporter: progress.From(context.Background())}
	_, err := repository.Build(progress.With(context.Background(), heard), c, repository.Options{Jobs: 1})
	require.NoError(t, err)
	require.Empty(t, heard.lines)

	put(t, c.Root, "packages/boat/config/replicas.yml", replicasText+"\n#! changed\n")
	_, err = repository.Build(progress.With(context.Background(), heard), c, repository.Options{Jobs: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"bundling %s", "bundling %s"}, heard.lines, "manifests are not rendered again")
}

// A package that installs others is made of their bundles, which a fresh build
// makes for it and for the repository at once.
func TestFreshBuildMakesEachBundleOnce(t *testing.T) {
	c := newTree(t, map[string]string{
		"repo/repository.yml":               "domain: strake.test\ncanonical: registry.test/strake/boats\nversion: 0.1.0\npublished:\n  boat: [1.0.0, 1.1.0]\n  tender: [1.1.0]\n",
		"packages/tender/1.1.0/version.yml": strings.ReplaceAll(versionText, "VERSION", "1.1.0") + "installs:\n  boat: 1.1.0\n",
		"packages/tender/config/schema.yml": "#@data/values-schema\n---\nreplicas: 1\npackages:\n  boat:\n    enabled: true\n    #@schema/type any=True\n    values: {}\n",
	})
	heard := &steps{Reporter: progress.From(context.Background())}
	_, err := repository.Build(progress.With(context.Background(), heard), c, repository.Options{Fresh: true, Jobs: 1})
	require.NoError(t, err)
	done := map[string]int{}
	for _, line := range heard.lines {
		done[line]++
	}
	require.Equal(t, 3, done["bundling %s"])
	require.Equal(t, 3, done["rendering %s"])
}

func TestBuildErrors(t *testing.T) {
	for name, test := range map[string]struct {
		edit map[string]string
		want []string
	}{
		"overlay's schema is broken": {
			edit: map[string]string{"packages/boat/config/schema.yml": "#@data/values-schema\n---\nlist: []\n"},
			want: []string{"boat 1.", "schema.yml"},
		},
		"upstream renders to nothing": {
			edit: map[string]string{"packages/boat/package.yml": strings.ReplaceAll(strings.ReplaceAll(packageText, "path: upstream/NAME", "path: upstream/none"), "NAME", "boat")},
			want: []string{"upstream/none"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := repository.Build(context.Background(), newTree(t, test.edit), repository.Options{})
			require.Error(t, err)
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestBuildStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := repository.Build(ctx, newTree(t, nil), repository.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestDamagedCache(t *testing.T) {
	c := newTree(t, nil)
	want := build(t, c, repository.Options{})
	root, err := cache.Dir()
	require.NoError(t, err)
	files := cachedFiles(t, root)
	require.NotEmpty(t, files)
	for _, file := range files {
		before, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(file, 0))
		// What is kept of a lower stage is read where the higher ones are missing.
		for _, kind := range []string{repository.BundlesKind, repository.ManifestsKind} {
			if strings.HasPrefix(file, filepath.Join(root, kind)) {
				break
			}
			require.NoError(t, os.RemoveAll(filepath.Join(root, kind)))
		}
		got := build(t, c, repository.Options{})
		require.Equal(t, want.Files, got.Files, file)
		require.Equal(t, want.Bundles[0].Files, got.Bundles[0].Files, file)
		after, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Len(t, after, len(before), file)
	}
}

// cachedFiles are the files of all entries.
func cachedFiles(t *testing.T, root string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(file) != ".lock" {
			files = append(files, file)
		}
		return err
	}))
	return files
}

func TestArtifacts(t *testing.T) {
	c := newTree(t, nil)
	r := build(t, c, repository.Options{})
	boat, err := c.Package("boat")
	require.NoError(t, err)
	_, err = r.Artifacts(nil, boat.Versions...)
	require.ErrorContains(t, err, "strake images build boat@1.0.0")

	all, err := r.Artifacts([]oci.Artifact{{Digest: hullDigest, Tags: []string{"a"}}, {Digest: hullDigest, Tags: []string{"b"}}}, boat.Versions...)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "boat-1.0.0", "boat-1.1.0", "0.1.0"}, tagsOf(all), "the repository comes last")
	all, err = r.Artifacts(nil)
	require.NoError(t, err)
	require.Equal(t, []string{"boat-1.0.0", "boat-1.1.0", "0.1.0"}, tagsOf(all), "bundles alone")
}

func tagsOf(artifacts []oci.Artifact) []string {
	var tags []string
	for _, a := range artifacts {
		tags = append(tags, a.Tags...)
	}
	return tags
}

func TestBuildSome(t *testing.T) {
	c := newTree(t, nil)
	require.NoError(t, write(t, c, repository.Options{}))
	v := version(t, c, "boat", "1.1.0")
	r, err := repository.BuildSome(t.Context(), c, []*catalog.Version{v}, repository.Options{})
	require.NoError(t, err)
	all, err := r.Artifacts(nil)
	require.NoError(t, err)
	require.Equal(t, []string{"boat-1.1.0"}, tagsOf(all))
	findings, err := r.Compare(c)
	require.NoError(t, err)
	require.Empty(t, findings, "the other version's file is not left over")

	put(t, c.Root, generated+"1.1.0.yml", "edited")
	findings, err = r.Compare(c)
	require.NoError(t, err)
	require.Len(t, findings, 1)

	_, err = repository.BuildSome(t.Context(), c, []*catalog.Version{version(t, c, "tender", "1.0.0")}, repository.Options{})
	require.ErrorContains(t, err, "tender 1.0.0 is not published in repo/repository.yml")
}

func version(t *testing.T, c *catalog.Catalog, name, of string) *catalog.Version {
	t.Helper()
	p, err := c.Package(name)
	require.NoError(t, err)
	v, err := p.Version(of)
	require.NoError(t, err)
	return v
}

// TestBuildOfAnEditedCache: what was edited is made again, and not published.
func TestBuildOfAnEditedCache(t *testing.T) {
	for title, test := range map[string]struct{ file, old, new string }{
		"tag":   {"bundle.json", "boat-1.1.0", "boat-9.9.9"},
		"layer": {"image/blobs/sha256/*", "", ""},
	} {
		t.Run(title, func(t *testing.T) {
			c := newTree(t, nil)
			before := build(t, c, repository.Options{})
			dir, err := cache.Dir("bundles")
			require.NoError(t, err)
			files, err := filepath.Glob(filepath.Join(dir, "*", test.file))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			for _, file := range files {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				if test.old != "" {
					text = []byte(strings.ReplaceAll(string(text), test.old, test.new))
				} else {
					text[len(text)-1] ^= 1
				}
				require.NoError(t, os.WriteFile(file, text, 0o644))
			}
			r, err := repository.Build(t.Context(), c, repository.Options{})
			require.NoError(t, err)
			_, err = r.Artifacts(nil)
			require.NoError(t, err)
			require.Equal(t, before.Files, r.Files)
			for i, b := range r.Bundles {
				require.Equal(t, before.Bundles[i].Image.Tags, b.Image.Tags)
			}
		})
	}
}

// TestArtifactsRefusesOtherContent: the last look at what is published is at the
// bundles themselves.
func TestArtifactsRefusesOtherContent(t *testing.T) {
	r := build(t, newTree(t, nil), repository.Options{})
	b := r.Bundles[0]
	tags, digest := b.Image.Tags, b.Digest
	b.Image.Tags = []string{"boat-9.9.9"}
	_, err := r.Artifacts(nil)
	require.ErrorContains(t, err, "remove the bundles from the cache")
	b.Image.Tags, b.Digest = tags, strings.Replace(digest, digest[7:15], "00000000", 1)
	_, err = r.Artifacts(nil)
	require.ErrorContains(t, err, "remove the bundles from the cache")
}
