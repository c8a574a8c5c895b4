package upstream_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// source is one kind of contents, served on loopback.
type source struct {
	// contents is the entry of vendir.yml.
	contents string
	// files must arrive, and have these origins.
	files   map[string]string
	origins map[string]upstream.Origin
	// change makes the server answer with something else to the same request,
	// and mismatch is what the error must then say.
	change   func()
	mismatch []string
}

// sources makes each kind, with a server of its own.
func sources() map[string]func(*testing.T) source {
	return map[string]func(*testing.T) source{
		"http":                  httpSource,
		"http file":             httpFileSource,
		"githubRelease":         githubSource,
		"githubRelease archive": githubArchiveSource,
		"git":                   gitSource,
		"helmChart":             helmSource,
		"helmChart OCI":         helmOCISource,
		"image":                 imageSource,
		"imgpkgBundle":          bundleSource,
	}
}

func TestFetchEveryKind(t *testing.T) {
	for name, serve := range sources() {
		t.Run(name, func(t *testing.T) {
			src := serve(t)
			v := newVersion(t, indent(src.contents))
			lock := filepath.Join(v.Dir, catalog.VendirLockFile)

			_, err := upstream.Fetch(t.Context(), v)
			require.ErrorContains(t, err, "vendir.lock.yml is missing")
			require.ErrorContains(t, err, "strake upstream lock app@1.2.3+strake.2")

			relock(t, v)
			locked := read(t, lock)
			s, err := upstream.Fetch(t.Context(), v)
			require.NoError(t, err)
			requireFiles(t, s, src.files)
			for file, want := range src.origins {
				require.Equal(t, want, s.Origins[file], file)
			}
			require.Equal(t, locked, read(t, lock), "fetching must not write to the version's folder")
			relock(t, v)
			require.Equal(t, locked, read(t, lock), "the same upstream must give the same lock")

			src.change()
			t.Setenv(cache.EnvDir, t.TempDir())
			_, err = upstream.Fetch(t.Context(), v)
			require.Error(t, err)
			for _, want := range src.mismatch {
				require.ErrorContains(t, err, want)
			}
			requireNothingKept(t)
		})
	}
}

// TestFetchOfflineFromCache needs no server once the sources are cached.
func TestFetchOfflineFromCache(t *testing.T) {
	s := newServer(t)
	src := httpFrom(s, "/app.txt", []byte("text\n"), "")
	v := newVersion(t, indent(src))
	relock(t, v)
	first, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	s.Close()
	t.Setenv("PATH", "")
	second, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	require.Equal(t, first, second)

	write(t, filepath.Join(filepath.Dir(first.Dir), "origins.json"), "{")
	_, err = upstream.Fetch(t.Context(), v)
	require.ErrorContains(t, err, "connection refused", "what is damaged is fetched again, and nobody serves it")
}
