package repository_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/repository"
)

func write(t *testing.T, c *catalog.Catalog, o repository.Options) error {
	t.Helper()
	return build(t, c, o).Write(context.Background(), c)
}

func TestWrite(t *testing.T) {
	c := newTree(t, nil)
	require.NoError(t, write(t, c, repository.Options{}))
	require.Contains(t, read(t, c.Root, generated+"metadata.yml"), "kind: PackageMetadata")
	before, err := os.Stat(filepath.Join(c.Root, generated, "1.0.0.yml"))
	require.NoError(t, err)
	require.NoError(t, write(t, c, repository.Options{}))
	after, err := os.Stat(filepath.Join(c.Root, generated, "1.0.0.yml"))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "a file that is right is left alone")
}

func TestWriteRemovesStaleFiles(t *testing.T) {
	c := newTree(t, nil)
	require.NoError(t, write(t, c, repository.Options{}))
	put(t, c.Root, "repo/packages/gone.strake.test/1.0.0.yml", "old")
	put(t, c.Root, generated+".part-123", "left by a run that was killed")
	put(t, c.Root, "repo/repository.yml", strings.Replace(tree()["repo/repository.yml"], "1.0.0, 1.1.0", "1.1.0", 1))
	c = reload(t, c.Root)
	require.NoError(t, write(t, c, repository.Options{}))
	require.NoDirExists(t, filepath.Join(c.Root, "repo/packages/gone.strake.test"))
	require.NoFileExists(t, filepath.Join(c.Root, generated, ".part-123"))
	require.NoFileExists(t, filepath.Join(c.Root, generated, "1.0.0.yml"), "no longer published")
	require.FileExists(t, filepath.Join(c.Root, generated, "1.1.0.yml"))
}

// A version that stands in repo/packages keeps its digest.
func TestWriteIsAddOnly(t *testing.T) {
	c := newTree(t, nil)
	require.NoError(t, write(t, c, repository.Options{}))
	was := read(t, c.Root, generated+"1.1.0.yml")
	put(t, c.Root, "packages/boat/config/replicas.yml", replicasText+"\n")

	err := write(t, c, repository.Options{})
	require.ErrorContains(t, err, generated+"1.0.0.yml")
	require.ErrorContains(t, err, "1.1.0+strake.2")
	require.ErrorContains(t, err, "--force-rewrite")
	require.Equal(t, was, read(t, c.Root, generated+"1.1.0.yml"))

	require.NoError(t, write(t, c, repository.Options{Rewrite: true}))
	require.NotEqual(t, was, read(t, c.Root, generated+"1.1.0.yml"))
}

// Words that are not part of the bundle may be corrected.
func TestWriteCorrectsWords(t *testing.T) {
	c := newTree(t, nil)
	require.NoError(t, write(t, c, repository.Options{}))
	text := strings.NewReplacer("One CPU", "Two CPUs", "VERSION", "1.1.0").Replace(versionText)
	put(t, c.Root, "packages/boat/1.1.0/version.yml", text)
	c = reload(t, c.Root)
	require.NoError(t, write(t, c, repository.Options{}))
	require.Contains(t, read(t, c.Root, generated+"1.1.0.yml"), "Two CPUs")
}

// A new revision stands beside the version that it follows.
func TestWriteRevision(t *testing.T) {
	c := newTree(t, nil)
	require.NoError(t, write(t, c, repository.Options{}))
	for _, name := range []string{"version.yml", "images.lock.yml", "go.mod", "go.sum"} {
		text := strings.Replace(tree()["packages/boat/1.1.0/"+name], "version: 1.1.0", "version: 1.1.0+strake.2", 1)
		put(t, c.Root, "packages/boat/1.1.0+strake.2/"+name, text)
	}
	put(t, c.Root, "repo/repository.yml", strings.Replace(tree()["repo/repository.yml"], "1.0.0, 1.1.0", "1.0.0, 1.1.0, 1.1.0+strake.2", 1))
	c = reload(t, c.Root)
	r := build(t, c, repository.Options{})
	require.NoError(t, r.Write(context.Background(), c))
	require.Equal(t, []string{"boat-1.1.0-strake.2"}, r.Bundles[2].Image.Tags)
	require.FileExists(t, filepath.Join(c.Root, generated, "1.1.0+strake.2.yml"))
}

func TestWriteErrors(t *testing.T) {
	c := newTree(t, nil)
	put(t, c.Root, "repo/packages/boat.strake.test", "a file where the folder should be")
	require.ErrorContains(t, write(t, c, repository.Options{}), "boat.strake.test")
}

func TestVerify(t *testing.T) {
	c := newTree(t, nil)
	r := build(t, c, repository.Options{})
	require.NoError(t, r.Write(context.Background(), c))
	verify := func() []repository.Finding {
		_, findings, err := repository.Verify(context.Background(), c)
		require.NoError(t, err)
		return findings
	}
	require.Empty(t, verify())

	changed := strings.Replace(read(t, c.Root, generated+"1.0.0.yml"), r.Bundles[0].Digest, mastDigest, 1)
	put(t, c.Root, generated+"1.0.0.yml", changed)
	put(t, c.Root, generated+"metadata.yml", "other: words\n")
	put(t, c.Root, generated+"9.9.9.yml", "left\n")
	require.NoError(t, os.Remove(filepath.Join(c.Root, "repo/bundle.lock.yml")))
	require.Equal(t, []repository.Finding{
		{File: "repo/bundle.lock.yml", What: "not committed", Rebuilt: r.Image.Digest},
		{File: generated + "1.0.0.yml", What: "names another bundle", Committed: mastDigest, Rebuilt: r.Bundles[0].Digest},
		{File: generated + "metadata.yml", What: "its text differs"},
		{File: generated + "9.9.9.yml", What: "committed, but nothing makes it"},
	}, verify())
}
