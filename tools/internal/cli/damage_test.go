package cli

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/repository"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// TestDamagedCacheChangesNoOutput damages every file of the entries of each
// kind, before each command.
func TestDamagedCacheChangesNoOutput(t *testing.T) {
	f := newFixture(t)
	f.use(t)
	commands := map[string][]string{
		"render": {"render", "tiny@1.0.0"},
		"rbac":   {"rbac", "tiny@1.0.0"},
		"docs":   {"docs", "tiny"},
		"build":  {"build", "--check", "-o", "json"},
	}
	want := map[string]output{}
	for name, args := range commands {
		want[name] = f.run(t, args)
	}
	require.NotEmpty(t, want["render"].stdout)
	for damage, harm := range map[string]func(t *testing.T, file string){
		"empty": func(t *testing.T, file string) { t.Helper(); require.NoError(t, os.Truncate(file, 0)) },
		"gone":  func(t *testing.T, file string) { t.Helper(); require.NoError(t, os.Remove(file)) },
		"bit flip": func(t *testing.T, file string) {
			t.Helper()
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			content[len(content)/2] ^= 1
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.WriteFile(file, content, 0o644))
		},
	} {
		for i, kind := range stageKinds() {
			t.Run(kind+" "+damage, func(t *testing.T) {
				var said strings.Builder
				for name, args := range commands {
					for _, above := range stageKinds()[:i] {
						require.NoError(t, os.RemoveAll(filepath.Join(f.cache, above)))
					}
					for _, file := range filesOf(t, filepath.Join(f.cache, kind)) {
						harm(t, file)
					}
					got := f.run(t, args)
					require.Equal(t, want[name].stdout, got.stdout, "%s: %s", name, got.stderr)
					require.Equal(t, want[name].code, got.code, "%s: %s", name, got.stderr)
					said.WriteString(got.stderr)
				}
				require.Contains(t, said.String(), "the cache entry "+kind+"/")
			})
		}
	}
}

// stageKinds are the kinds of the cache from what is read first to what is
// read only where those are missing.
func stageKinds() []string {
	return []string{repository.BundlesKind, repository.ManifestsKind, upstream.CacheKind}
}

func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(file) != ".lock" {
			files = append(files, file)
		}
		return err
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return files
}

// use has this process run in the fixture, as [fixture.strake] has another.
func (f *fixture) use(t *testing.T) {
	t.Helper()
	dir := filepath.Dir(f.cache)
	for _, variable := range append(slices.Clone(f.env), "STRAKE_CACHE="+f.cache,
		"HOME="+filepath.Join(dir, "home"), "GOPATH="+filepath.Join(dir, "go"), "GOMODCACHE="+filepath.Join(dir, "go", "mod")) {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

// output is what a run of the program gave.
type output struct {
	stdout, stderr string
	code           int
}

func (f *fixture) run(t *testing.T, args []string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(t.Context(), append([]string{"--root", f.checkout}, args...), Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return output{stdout.String(), stderr.String(), code}
}

// cmdTruncate empties, and cmdRemove removes, each file of a name below a folder:
//
//	truncate DIR NAME
//	remove DIR NAME
func cmdTruncate(ts *testscript.TestScript, neg bool, args []string) {
	eachFile(ts, neg, args, func(file string) error { return os.Truncate(file, 0) })
}

func cmdRemove(ts *testscript.TestScript, neg bool, args []string) {
	eachFile(ts, neg, args, os.Remove)
}

func eachFile(ts *testscript.TestScript, neg bool, args []string, do func(file string) error) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate DIR NAME, or remove DIR NAME")
	}
	found := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == args[1] {
			found++
			err = do(file)
		}
		return err
	}))
	if found == 0 {
		ts.Fatalf("there is no %s below %s", args[1], args[0])
	}
}

// cmdOnly leaves no other programs on PATH:
//
//	only PROGRAM...
func cmdOnly(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: only PROGRAM...")
	}
	dir := filepath.Join(ts.Getenv("WORK"), "only")
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, name := range args {
		program, err := exec.LookPath(name)
		ts.Check(err)
		ts.Check(os.Symlink(program, filepath.Join(dir, name)))
	}
	ts.Setenv("PATH", dir)
}
