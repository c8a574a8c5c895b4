package oci

import (
	"os"
	"path/filepath"
	"testing"

	"carvel.dev/imgpkg/pkg/imgpkg/bundle"
	imgpkgregistry "carvel.dev/imgpkg/pkg/imgpkg/registry"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

func bundleFiles(t *testing.T, entries ...LockEntry) map[string][]byte {
	t.Helper()
	lock, err := ImagesLock(entries)
	require.NoError(t, err)
	return map[string][]byte{
		".imgpkg/images.yml":        lock,
		"config/schema.yml":         []byte("#@data/values-schema\n---\n"),
		"config/upstream/keda.yaml": []byte("kind: Namespace\n"),
		"empty":                     {},
	}
}

// The digest is that of a real push by imgpkg of the same files from a
// checkout, where they have other modes and owners.
func TestBundleImageIsWhatImgpkgPushes(t *testing.T) {
	files := bundleFiles(t)
	image, err := BundleImage(files)
	require.NoError(t, err)
	require.NoError(t, validate.Image(image))
	digest, err := image.Digest()
	require.NoError(t, err)

	dir := t.TempDir()
	for path, content := range files {
		file := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, content, 0o644))
	}
	host := serve(t, ServeOptions{})
	tag, err := name.NewTag(host + "/test/bundle:1")
	require.NoError(t, err)
	registry, err := imgpkgregistry.NewSimpleRegistry(imgpkgregistry.Opts{VerifyCerts: true})
	require.NoError(t, err)
	pushed, err := bundle.NewContents([]string{dir}, []string{".git"}, false).Push(tag, nil, registry, quiet{})
	require.NoError(t, err)
	require.Equal(t, host+"/test/bundle@"+digest.String(), pushed)

	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, map[string]string{"dev.carvel.imgpkg.bundle": "true"}, config.Config.Labels)
}

func TestBundleImageIsDeterministic(t *testing.T) {
	files := bundleFiles(t)
	first, err := BundleImage(files)
	require.NoError(t, err)
	t.Setenv("TMPDIR", t.TempDir())
	second, err := BundleImage(files)
	require.NoError(t, err)
	want, err := first.Digest()
	require.NoError(t, err)
	got, err := second.Digest()
	require.NoError(t, err)
	require.Equal(t, want, got)
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left, "nothing stays on disk")
}

func TestBundleImageRefusesOtherFiles(t *testing.T) {
	tests := map[string]struct {
		add, remove string
		want        string
	}{
		"no lock":     {"", ".imgpkg/images.yml", "This directory is not a bundle"},
		"two bundles": {"sub/.imgpkg/images.yml", "", "multiple bundle definitions"},
		"upwards":     {"../escape", "", "is not a clean relative path"},
		"absolute":    {"/etc/passwd", "", "is not a clean relative path"},
		"unclean":     {"a//b", "", "is not a clean relative path"},
		"no name":     {"", "", ""},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			files := bundleFiles(t)
			delete(files, test.remove)
			if test.add != "" {
				files[test.add] = []byte("x")
			}
			_, err := BundleImage(files)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}

func BenchmarkBundleImage(b *testing.B) {
	files := map[string][]byte{".imgpkg/images.yml": []byte("x"), "config/upstream.yml": make([]byte, 1<<20)}
	for b.Loop() {
		_, err := BundleImage(files)
		require.NoError(b, err)
	}
}
