package upstream_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/untrusted/hostile"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// requireRefused locks a version in vain: the error says why, nothing is
// locked, and nothing is written outside of the cache or kept in it.
func requireRefused(t *testing.T, contents string, want ...string) {
	t.Helper()
	v := newVersion(t, indent(contents))
	outer := t.TempDir()
	t.Setenv(cache.EnvDir, filepath.Join(outer, "a", "b", "cache"))
	write(t, filepath.Join(outer, "precious"), "p")
	_, err := upstream.Lock(t.Context(), v)
	require.Error(t, err)
	for _, w := range want {
		require.ErrorContains(t, err, w)
	}
	require.NoFileExists(t, filepath.Join(v.Dir, catalog.VendirLockFile))
	require.NoError(t, filepath.WalkDir(outer, func(name string, d fs.DirEntry, err error) error {
		require.True(t, err != nil || d.IsDir() || d.Name() == "precious" || filepath.Ext(name) == ".lock", "%s was written", name)
		return err
	}))
	require.NoFileExists(t, "/tmp/strake-hostile/x")
	requireNothingKept(t)
}

func TestHTTPRefusesHostileArchives(t *testing.T) {
	s := newServer(t)
	for _, a := range hostile.Archives() {
		for kind, data := range map[string][]byte{"tar": a.Tar, "tgz": hostile.Gzip(a.Tar), "zip": a.Zip} {
			if data == nil || kind == "tar" && a.Name != "parent" {
				continue
			}
			t.Run(a.Name+" "+kind, func(t *testing.T) {
				at := "/app." + kind
				requireRefused(t, httpFrom(s, at, data, ""), a.Want, "http "+s.URL+at, "disableUnpack: true", "upstream/app")
			})
		}
	}
}

func TestHTTPKeepsNoArchiveAsAFile(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		path, want string
		data       []byte
	}{
		"page in the place of an archive": {"/v1/app.tar.gz", "has the name of an archive but is not one", []byte("<html>")},
		"compressed text":                 {"/app.yml.gz", "reading tar", hostile.Gzip([]byte("a: 1\n"))},
		"bomb":                            {"/app.tgz", "unpacks to more than", hostile.Bomb(64 << 20)},
		"xz":                              {"/download", "has an unsupported compression", []byte("\xfd7zXZ\x00")},
		"half a zip":                      {"/app.zip", "reading zip", hostile.Zip("a", "a")[:40]},
	} {
		t.Run(name, func(t *testing.T) {
			contents := httpFrom(s, test.path, test.data, "")
			requireRefused(t, contents, test.want, "disableUnpack: true")

			v := newVersion(t, indent(strings.Replace(contents, "  url:", "  disableUnpack: true\n  url:", 1)))
			require.Equal(t, upstream.Locked, relock(t, v))
			got, err := upstream.Fetch(t.Context(), v)
			require.NoError(t, err)
			requireFiles(t, got, map[string]string{"upstream/app/" + filepath.Base(test.path): string(test.data)})
		})
	}
}

func TestReleaseRefusesHostileArchives(t *testing.T) {
	s := newServer(t)
	for _, a := range hostile.Archives()[:3] {
		t.Run(a.Name, func(t *testing.T) {
			url := release(t, s, map[string][]byte{"app.tgz": hostile.Gzip(a.Tar)})
			contents := fmt.Sprintf("path: app\ngithubRelease:\n  url: %s\n  assetNames: [app.tgz]\n  checksums: {app.tgz: %s}\n  unpackArchive: {path: app.tgz}\n", url, sum(hostile.Gzip(a.Tar)))
			requireRefused(t, contents, a.Want, "leaving unpackArchive out")
			requireRefused(t, strings.Replace(contents, "path: app.tgz", "path: ../../precious", 1), "names no file of the release")

			s.files["/app.zip"] = a.Zip
			requireRefused(t, fmt.Sprintf("path: app\ngithubRelease:\n  url: %s\n  http: {url: %s/app.zip, sha256: %s}\n", url, s.URL, sum(a.Zip)), a.Want)
		})
	}
}

func TestChartRefusesHostileArchives(t *testing.T) {
	s := newServer(t)
	for _, a := range hostile.Archives() {
		switch a.Name {
		case "parent", "backslashes", "symbolic link within", "truncated":
		default:
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			data := hostile.Gzip(a.Tar)
			s.files["/charts/app-1.2.3.tgz"] = data
			s.files["/charts/index.yaml"] = []byte("apiVersion: v1\nentries: {app: [{apiVersion: v2, name: app, version: 1.2.3, urls: [app-1.2.3.tgz]}]}\n")
			requireRefused(t, helmContents(s.URL+"/charts", sum(data)).contents, a.Want, "helmChart app", "take another version of the chart")
		})
	}
}

func TestImageRefusesHostileLayers(t *testing.T) {
	l := newLiar(t)
	for _, a := range hostile.Archives() {
		t.Run(a.Name, func(t *testing.T) {
			image := mutate.MediaType(empty.Image, types.DockerManifestSchema2)
			good := hostile.Pack(".imgpkg/images.yml", "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n")
			image, err := mutate.AppendLayers(image, static.NewLayer(good, types.DockerLayer), static.NewLayer(hostile.Gzip(a.Tar), types.DockerLayer))
			require.NoError(t, err)
			image, err = mutate.Config(image, v1.Config{Labels: map[string]string{"dev.carvel.imgpkg.bundle": "true"}})
			require.NoError(t, err)
			ref, err := name.ParseReference(l.host + "/app:v1.2.3")
			require.NoError(t, err)
			require.NoError(t, remote.Write(ref, image))
			requireRefused(t, "path: app\nimage: {url: "+ref.Name()+"}", a.Want, l.host+"/app@sha256:", "use an image of files alone")
			requireRefused(t, "path: app\nimgpkgBundle: {image: "+ref.Name()+"}", a.Want, l.host+"/app@sha256:")
			requireRefused(t, "path: app\nimgpkgBundle: {image: "+ref.Name()+", recursive: true}", a.Want)
		})
	}
}

// TestImageIsFetchedByDigest asks for the tag once, so that what is locked is
// what was looked at.
func TestImageIsFetchedByDigest(t *testing.T) {
	l := newLiar(t)
	l.push(t, map[string]string{"a.yml": "a: 1\n"}, nil)
	l.take()
	v := newVersion(t, indent("path: app\nimage: {url: "+l.host+"/app:v1.2.3}"))
	relock(t, v)
	asked := l.take()
	require.Equal(t, 1, strings.Count(asked, "/manifests/v1.2.3"), asked)
	require.Contains(t, asked, "/manifests/sha256:")
}

func TestImageByTagSelection(t *testing.T) {
	l := newLiar(t)
	digest := l.push(t, map[string]string{"a.yml": "a: 1\n"}, nil)
	v := newVersion(t, indent("path: app\nimage:\n  url: "+l.host+"/app\n  tagSelection: {semver: {constraints: '>=1.0.0'}}\n"))
	relock(t, v)
	lock := read(t, filepath.Join(v.Dir, catalog.VendirLockFile))
	require.Contains(t, lock, "tag: v1.2.3")
	require.Contains(t, lock, l.host+"/app@"+digest)
	got, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, got, map[string]string{"upstream/app/a.yml": "a: 1\n"})
}
