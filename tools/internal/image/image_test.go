package image

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// locked is a version with the lock that its images have.
func locked(t *testing.T) *catalog.Version {
	t.Helper()
	v := newVersion(t)
	lock, err := Lock(t.Context(), v, Options{})
	require.NoError(t, err)
	v.Images = lock
	return v
}

func TestSameInputsGiveSameDigests(t *testing.T) {
	v := locked(t)
	freshCache(t)
	t.Setenv("GOAMD64", "v3")
	t.Setenv("CGO_ENABLED", "1")
	v.Dir = t.TempDir()
	newModule(t, v.Dir)
	again, err := Lock(t.Context(), v, Options{})
	require.NoError(t, err)
	require.Equal(t, v.Images, again)
}

func TestBuildReproducesTheLock(t *testing.T) {
	v := locked(t)
	freshCache(t)
	s := &steps{}
	artifacts, err := Build(progress.With(t.Context(), s), v, Options{Platforms: []string{DefaultPlatform}})
	require.NoError(t, err)
	require.Len(t, artifacts, 1)
	require.Equal(t, v.Images.Images[0].Digest, artifacts[0].Digest)
	require.Equal(t, "sample 1.2.3 server", artifacts[0].Name)
	require.Equal(t, 2, s.compiled())
}

func TestEachPlatformIsLocked(t *testing.T) {
	v := newVersion(t)
	v.Package.Images[0].With, v.Package.Images[0].Links = nil, nil
	platforms := []string{"linux/amd64", "linux/arm64"}
	lock, err := Lock(t.Context(), v, Options{Platforms: platforms})
	require.NoError(t, err)
	require.Equal(t, platforms, platformsOf(lock.Images[0]))
	require.NotEqual(t, lock.Images[0].Platforms[0].Digest, lock.Images[0].Platforms[1].Digest)
	v.Images = lock
	artifacts, err := Build(t.Context(), v, Options{Platforms: platforms})
	require.NoError(t, err)
	index, err := artifacts[0].Index.IndexManifest()
	require.NoError(t, err)
	require.Equal(t, "linux/arm64", index.Manifests[1].Platform.String())
	require.Len(t, artifacts[0].Attached, 2)
}

func TestBuildRefuses(t *testing.T) {
	const other = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	v := locked(t)
	good := *v.Images
	image := good.Images[0]
	tests := map[string]struct {
		change  func(lock *catalog.ImagesLock)
		options Options
		want    []string
		compile bool
	}{
		"another digest": {
			change:  func(l *catalog.ImagesLock) { l.Images[0].Digest = other },
			want:    []string{other, image.Digest, "go mod verify"},
			compile: true,
		},
		"another SBOM": {
			change:  func(l *catalog.ImagesLock) { l.Images[0].Platforms[0].SBOM = other },
			want:    []string{other, image.Platforms[0].SBOM, "SBOM of linux/amd64"},
			compile: true,
		},
		"other inputs": {
			change: func(l *catalog.ImagesLock) { l.Images[0].Inputs = other },
			want:   []string{other, image.Inputs, "strake images lock sample@1.2.3"},
		},
		"another toolchain": {
			change: func(l *catalog.ImagesLock) { l.Toolchain = "go1.2.3"; relockInputs(t, v, l) },
			want:   []string{"go1.2.3", good.Toolchain, "strake images lock sample@1.2.3"},
		},
		"another base": {
			change: func(l *catalog.ImagesLock) { l.Base = other; relockInputs(t, v, l) },
			want:   []string{other, good.Base},
		},
		"a platform that is not locked": {
			change:  func(*catalog.ImagesLock) {},
			options: Options{Platforms: []string{"linux/arm64"}},
			want:    []string{"not locked for linux/arm64", "--platform linux/arm64"},
		},
		"another source": {
			change:  func(*catalog.ImagesLock) {},
			options: Options{Source: catalog.FromUpstream},
			want:    []string{`"module"`, `"upstream"`},
		},
		"an image that is not declared": {
			change: func(l *catalog.ImagesLock) { l.Images[0].Name = "gone" },
			want:   []string{"gone", "package.yml"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			freshCache(t)
			lock := good
			lock.Images = []catalog.LockedImage{image}
			lock.Images[0].Platforms = append([]catalog.LockedPlatform{}, image.Platforms...)
			v.Images = &lock
			test.change(&lock)
			s := &steps{}
			_, err := Build(progress.With(t.Context(), s), v, test.options)
			require.Error(t, err)
			for _, part := range test.want {
				require.ErrorContains(t, err, part)
			}
			require.Equal(t, test.compile, s.compiled() > 0, "compiled something")
			require.Empty(t, cachedNames(t))
		})
	}
}

// relockInputs makes the inputs' hash agree with a lock that was changed.
func relockInputs(t *testing.T, v *catalog.Version, l *catalog.ImagesLock) {
	t.Helper()
	key, err := hashInputs(v, v.Package.Images[0], platformsOf(l.Images[0]), l.Toolchain, l.Base)
	require.NoError(t, err)
	l.Images[0].Inputs = key
}

func TestBuildWithoutALock(t *testing.T) {
	v := newVersion(t)
	_, err := Build(t.Context(), v, Options{})
	require.ErrorContains(t, err, `sample 1.2.3 has no images.lock.yml: run "strake images lock sample@1.2.3"`)
	_, err = Inputs(v, v.Package.Images[0], nil)
	require.ErrorContains(t, err, "has no images.lock.yml")
}

func TestLockRefuses(t *testing.T) {
	tests := map[string]struct {
		change  func(img *catalog.Image)
		options Options
		want    string
	}{
		"a command that the module does not have": {
			change: func(img *catalog.Image) { img.Command = "example.test/commands/cmd/absent" },
			want:   "example.test/commands/cmd/absent",
		},
		"a library": {
			change: func(img *catalog.Image) { img.Command = "example.test/commands/library" },
			want:   "not `package main`",
		},
		"a command that does not compile": {
			change: func(img *catalog.Image) { img.Command = "example.test/commands/broken" },
			want:   "undefined: missing",
		},
		"an image that has no command": {
			change: func(img *catalog.Image) { *img = catalog.Image{Name: "bare", Reference: "bare"} },
			want:   "has no command",
		},
		"two commands of one name": {
			change: func(img *catalog.Image) { img.With = []string{"example.test/other/server"} },
			want:   "both named server",
		},
		"a link to nothing": {
			change: func(img *catalog.Image) { img.Links = map[string]string{"/x": "absent"} },
			want:   `link /x points to "absent"`,
		},
		"a relative path": {
			change: func(img *catalog.Image) { img.Links = map[string]string{"x": "server"} },
			want:   "is not absolute",
		},
		"two files of one path": {
			change: func(img *catalog.Image) {
				img.Links = map[string]string{"/x": "server"}
				img.Files = []catalog.ImageFile{{Path: "/x", Mode: "0644"}}
			},
			want: "/x is named twice",
		},
		"a mode that is none": {
			change: func(img *catalog.Image) { img.Files = []catalog.ImageFile{{Path: "/x", Mode: "rw"}} },
			want:   `mode "rw" of file /x`,
		},
		"a platform that is none": {
			change:  func(*catalog.Image) {},
			options: Options{Platforms: []string{"linux/amd64/v1/x"}},
			want:    `platform "linux/amd64/v1/x"`,
		},
	}
	v := newVersion(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			img := serverImage()
			img.With, img.Links, img.Files = nil, nil, nil
			test.change(&img)
			v.Package.Images = []catalog.Image{img}
			_, err := Lock(t.Context(), v, test.options)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, cachedNames(t))
		})
	}
}

func TestEnvironmentThatCannotReproduce(t *testing.T) {
	tests := map[string]struct{ name, value, want string }{
		"ko's cache":    {"KOCACHE", "/somewhere", "sets KOCACHE"},
		"an experiment": {"GOEXPERIMENT", "jsonv2", "GOEXPERIMENT is"},
		"no go command": {"KO_GO_PATH", "/absent/go", "KO_GO_PATH names a go command that cannot be run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVersion(t)
			t.Setenv(test.name, test.value)
			_, err := Lock(t.Context(), v, Options{})
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestEachStopsAfterAFailure(t *testing.T) {
	failure := errors.New("failure")
	calls := 0
	_, err := each(t.Context(), Options{}, []int{1, 2, 3}, func(_ context.Context, i int) (int, error) {
		calls++
		return i, failure
	})
	require.ErrorIs(t, err, failure)
	require.Equal(t, 1, calls)
}
