package gitops

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// folderOf has files of one environment, each with the mark.
func folderOf(environment string, files map[string]string) *Folder {
	f := &Folder{Environment: environment, Files: map[string][]byte{}}
	for name, text := range files {
		f.Files[name] = []byte("# " + mark(environment) + "\n" + text)
	}
	return f
}

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		name, _ := filepath.Rel(dir, file)
		files[filepath.ToSlash(name)] = string(text)
		return err
	}))
	return files
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	first := folderOf("prod", map[string]string{"flux.yaml": "1", "install/old.yaml": "1", "install/values.yml": "1"})
	changes, err := Write(dir, first, false)
	require.NoError(t, err)
	require.Equal(t, Changes{Written: []string{"flux.yaml", "install/old.yaml", "install/values.yml"}}, changes)

	changes, err = Write(dir, first, false)
	require.NoError(t, err)
	require.Empty(t, changes, "the same again changes nothing")

	write(t, dir, "prerequisites/tls.sops.yaml", "theirs")
	write(t, dir, "install/theirs.yaml", "theirs")
	write(t, dir, "deeper/below/flux.yaml", "# "+mark("prod")+"\n")    // another folder's
	write(t, dir, "install/.part-values.yml", "# "+mark("prod")+"\n1") // of a run that was killed
	changes, err = Write(dir, folderOf("prod", map[string]string{"flux.yaml": "2", "install/values.yml": "1"}), false)
	require.NoError(t, err)
	require.Equal(t, Changes{Written: []string{"flux.yaml"}, Removed: []string{"install/.part-values.yml", "install/old.yaml"}}, changes)
	head := "# " + mark("prod") + "\n"
	require.Equal(t, map[string]string{
		"flux.yaml": head + "2", "install/values.yml": head + "1", "prerequisites/tls.sops.yaml": "theirs",
		"install/theirs.yaml": "theirs", "deeper/below/flux.yaml": head,
	}, read(t, dir))
}

func TestWriteRefuses(t *testing.T) {
	f := folderOf("prod", map[string]string{"flux.yaml": "1", "install/install.yaml": "1"})
	for name, test := range map[string]struct{ there, says string }{
		"somebody's file":     {"kind: Kustomization\n", "flux.yaml was not written by this command"},
		"another environment": {"# " + mark("staging") + "\n", "flux.yaml was written for the environment staging; choose another folder, or pass --force"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "flux.yaml", test.there)
			write(t, dir, "install/theirs.yaml", test.there)
			before := read(t, dir)
			_, err := Write(dir, f, false)
			require.ErrorContains(t, err, test.says)
			require.Equal(t, before, read(t, dir), "nothing is written then")

			_, err = Write(dir, f, true)
			require.NoError(t, err)
			require.Equal(t, map[string]string{
				"flux.yaml": string(f.Files["flux.yaml"]), "install/install.yaml": string(f.Files["install/install.yaml"]), "install/theirs.yaml": test.there,
			}, read(t, dir), "what is not in the way stays")
		})
	}
}

// TestWriteStaysInside: a link does not lead a write out of the folder.
func TestWriteStaysInside(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "install")))
	_, err := Write(dir, folderOf("prod", map[string]string{"install/install.yaml": "1"}), true)
	require.Error(t, err)
	require.Empty(t, read(t, outside))
}

// TestWriteLeavesNoHalf: what cannot be put in its place leaves what was there,
// and nothing beside it.
func TestWriteLeavesNoHalf(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "flux.yaml/full", "x") // a folder where a file belongs
	_, err := Write(dir, folderOf("prod", map[string]string{"flux.yaml": "1"}), false)
	require.ErrorContains(t, err, "writing "+filepath.ToSlash(dir)+"/flux.yaml")
	require.Equal(t, map[string]string{"flux.yaml/full": "x"}, read(t, dir))
}
