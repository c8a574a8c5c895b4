package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// generatedVersion has one image, whose sources a generator writes from
// words.txt.
func generatedVersion(t *testing.T, words string) *catalog.Version {
	t.Helper()
	v := newVersion(t)
	v.Dir = t.TempDir()
	newModule(t, v.Dir)
	run(t, v.Dir, "go", "get", "-tool", "example.test/commands/cmd/writer@v1.2.3")
	put(t, v, "words.txt", words)
	v.Package.Images = []catalog.Image{{
		Name: "speaker", Reference: "registry.example.test/speaker", Command: "sample",
		Generate: &catalog.Generate{
			Command: "example.test/commands/cmd/writer", Args: []string{"words.txt"}, Files: []string{"words.txt"},
		},
	}}
	return v
}

func put(t *testing.T, v *catalog.Version, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(v.Dir, name), []byte(content), 0o644))
}

func TestGeneratedSources(t *testing.T) {
	v := generatedVersion(t, "ahoy\n")
	lock, err := Lock(t.Context(), v, Options{})
	require.NoError(t, err)
	v.Images = lock

	t.Run("are compiled with the version's modules", func(t *testing.T) {
		artifacts, err := Build(t.Context(), v, Options{})
		require.NoError(t, err)
		binary := unpack(t, platformOf(t, artifacts[0]))["ko-app/sample"].content
		name := filepath.Join(t.TempDir(), "speaker")
		require.NoError(t, os.WriteFile(name, binary, 0o755))
		out, err := exec.Command(name).CombinedOutput()
		require.NoError(t, err)
		require.Equal(t, "ahoy word\n", string(out))
	})
	t.Run("leave nothing in the version's folder", func(t *testing.T) {
		entries, err := os.ReadDir(v.Dir)
		require.NoError(t, err)
		require.Len(t, entries, 3, "go.mod, go.sum, words.txt")
	})
	t.Run("give the same digest anywhere", func(t *testing.T) {
		freshCache(t)
		again, err := Lock(t.Context(), generatedVersion(t, "ahoy\n"), Options{})
		require.NoError(t, err)
		require.Equal(t, lock, again)
	})
	t.Run("are locked by what they are made from", func(t *testing.T) {
		put(t, v, "words.txt", "ship ahoy\n")
		_, err := Build(t.Context(), v, Options{})
		require.ErrorContains(t, err, "strake images lock sample@1.2.3")
		v.Package.Images[0].Generate.Args = []string{"words.txt", "aloud"}
		other, err := Inputs(v, v.Package.Images[0], []string{DefaultPlatform})
		require.NoError(t, err)
		put(t, v, "words.txt", "ahoy\n")
		back, err := Inputs(v, v.Package.Images[0], []string{DefaultPlatform})
		require.NoError(t, err)
		require.NotEqual(t, other, back)
		require.NotEqual(t, lock.Images[0].Inputs, back, "arguments count")
	})
}

func TestGeneratorsThatFail(t *testing.T) {
	tests := map[string]struct {
		change func(v *catalog.Version)
		want   []string
	}{
		"by themselves": {
			change: func(v *catalog.Version) { v.Package.Images[0].Generate.Args = []string{"other.txt"} },
			want:   []string{"generating the sources of sample with example.test/commands/cmd/writer", "open other.txt: no such file"},
		},
		"for a file": {
			change: func(v *catalog.Version) { v.Package.Images[0].Generate.Files = []string{"other.txt"} },
			want:   []string{"hashing what image speaker of sample 1.2.3 is generated from", "other.txt"},
		},
		"for no program": {
			change: func(v *catalog.Version) {
				v.Package.Images[0].Generate.Command = "example.test/commands/cmd/absent"
			},
			want: []string{"generating the sources of sample", "cmd/absent"},
		},
		"for a folder as a module": {
			change: func(v *catalog.Version) {
				run(t, v.Dir, "go", "mod", "edit", "-replace=example.test/replaced=./near")
				require.NoError(t, os.MkdirAll(filepath.Join(v.Dir, "near"), 0o755))
				put(t, v, "near/go.mod", "module example.test/replaced\n")
			},
			want: []string{"replaces example.test/replaced by the folder ./near"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := generatedVersion(t, "ahoy\n")
			test.change(v)
			_, err := Lock(t.Context(), v, Options{})
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
