package repository_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// TestModulesOfAVersionBelongTogether compares what a version pins in several
// go.mod files, since it does not resolve together, with what the upstreams'
// own say: a module that was released with a newer one of another's is not to be
// run beside an older. Within one go.mod, Go itself sees to that.
func TestModulesOfAVersionBelongTogether(t *testing.T) {
	for _, p := range checkout(t).Packages {
		for _, v := range p.Versions {
			if files := goMods(t, v); len(files) > 1 {
				t.Run(v.ID(), func(t *testing.T) { requireOneRelease(t, v, files) })
			}
		}
	}
}

// pinned is a module that a version takes sources from.
type pinned struct{ path, version, file string }

func goMods(t *testing.T, v *catalog.Version) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(v.Dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "go.mod" {
			files = append(files, file)
		}
		return err
	}))
	return files
}

func requireOneRelease(t *testing.T, v *catalog.Version, files []string) {
	t.Helper()
	sources := sourceModules(t, v, files)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		for _, need := range parseMod(t, ownGoMod(t, source)).Require {
			for _, other := range sources {
				if other != source && isPartOf(need.Mod.Path, other.path) {
					require.GreaterOrEqual(t, semver.Compare(other.version, need.Mod.Version), 0,
						"%s %s was released with %s %s; %s pins %s", source.path, source.version, need.Mod.Path, need.Mod.Version, other.file, other.version)
				}
			}
		}
	}
}

// sourceModules are those that vendir.yml names.
func sourceModules(t *testing.T, v *catalog.Version, files []string) (list []pinned) {
	t.Helper()
	vendir, err := os.ReadFile(filepath.Join(v.Package.Dir, catalog.VendirFile))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	for _, file := range files {
		for _, r := range parseMod(t, file).Require {
			if regexp.MustCompile(`["/ ]` + regexp.QuoteMeta(r.Mod.Path) + `["\s]`).Match(vendir) {
				list = append(list, pinned{r.Mod.Path, r.Mod.Version, file})
			}
		}
	}
	return list
}

func parseMod(t *testing.T, file string) *modfile.File {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	parsed, err := modfile.ParseLax(file, data, nil)
	require.NoError(t, err)
	return parsed
}

// ownGoMod is the go.mod in a module, checked against the version's go.sum.
func ownGoMod(t *testing.T, m pinned) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", m.path)
	cmd.Dir = filepath.Dir(m.file)
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	var answer struct{ GoMod string }
	require.NoError(t, json.Unmarshal(out, &answer))
	return answer.GoMod
}

var majorSuffix = regexp.MustCompile(`/v[0-9]+$`)

// isPartOf knows a module by its own path and by those nested in it, such as the
// types of its API, which are released with the same version.
func isPartOf(path, of string) bool {
	return path == of || strings.HasPrefix(path, majorSuffix.ReplaceAllString(of, "")+"/")
}
