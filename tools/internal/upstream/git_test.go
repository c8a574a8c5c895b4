package upstream_test

import (
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// repository is a git repository that git itself serves over HTTP.
type repository struct {
	t   *testing.T
	dir string
	url string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("SKIPPED: git is not installed, and vendir fetches from git with it")
	}
	root := t.TempDir()
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull,
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
		"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
	} {
		t.Setenv(name, value)
	}
	s := httptest.NewServer(&cgi.Handler{
		Path: path, Args: []string{"http-backend"},
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(s.Close)
	r := repository{t, filepath.Join(root, "app"), s.URL + "/app/.git"}
	require.NoError(t, os.Mkdir(r.dir, 0o755))
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "git %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

// commit tags a commit with one file and gives its hash.
func (r repository) commit(file, text, tag string) string {
	r.t.Helper()
	write(r.t, filepath.Join(r.dir, file), text)
	r.git("add", ".")
	r.git("commit", "--quiet", "--message="+text)
	r.git("tag", "--force", tag)
	return r.git("rev-parse", "HEAD")
}

// contents uses the version, as a template for all versions would.
func (r repository) contents() string {
	return "path: app\n#@ load(\"@ytt:data\", \"data\")\ngit:\n  url: " + r.url + "\n  ref: #@ \"v\" + data.values.version\n"
}

func gitSource(t *testing.T) source {
	r := newRepository(t)
	sha := r.commit("deploy/a.yml", "a: 1\n", "v1.2.3")
	return source{
		contents: r.contents(),
		files:    map[string]string{"upstream/app/deploy/a.yml": "a: 1\n"},
		origins: map[string]upstream.Origin{
			"upstream/app/deploy/a.yml": {Source: "git " + r.url, Path: "deploy/a.yml", Sum: sha},
		},
		change: func() {
			r.git("commit", "--quiet", "--amend", "--message=another past")
			r.git("tag", "--force", "v1.2.3")
			r.git("reflog", "expire", "--expire=now", "--all")
			r.git("gc", "--quiet", "--prune=now")
		},
		mismatch: []string{"reference is not a tree", "upstream/app is locked as " + sha + ", but upstream now has "},
	}
}

// TestFetchLockedCommit keeps what is locked while the tag moves on.
func TestFetchLockedCommit(t *testing.T) {
	r := newRepository(t)
	sha := r.commit("a.yml", "a: 1\n", "v1.2.3")
	v := newVersion(t, indent(r.contents()))
	relock(t, v)
	r.commit("a.yml", "a: 2\n", "v1.2.3")
	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{"upstream/app/a.yml": "a: 1\n"})
	require.Equal(t, sha, s.Origins["upstream/app/a.yml"].Sum)

	// What the tag is now comes with a new lock, and only then.
	relock(t, v)
	t.Setenv(cache.EnvDir, t.TempDir())
	s, err = upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{"upstream/app/a.yml": "a: 2\n"})
}

// TestGitLinks takes links that stay within the source, and no others,
// wherever they lead.
func TestGitLinks(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "deploy", "precious.yml"), "p: 1\n")
	for name, test := range map[string]struct{ target, more, want string }{
		"within":                    {"a.yml", "", ""},
		"left out":                  {outside, "excludePaths: [link]\n", ""},
		"parent":                    {"..", "", `entry "link" is a link that leads out of the source`},
		"absolute":                  {outside, "", `entry "link" is a link that leads out of the source`},
		"nowhere":                   {"none", "", `entry "link" is a link that leads out of the source, or nowhere`},
		"new root through a link":   {outside, "newRootPath: link/deploy\n", `entry "link" is a link`},
		"target that is not taken":  {"b/c.yml", "excludePaths: [b/**/*]\n", "leads out of the source, or nowhere"},
		"target above the new root": {"a.yml", "newRootPath: b\n", `entry "upstream/app/up" is a link`},
		"remedy names excludePaths": {"..", "", "leave it out with excludePaths"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			require.NoError(t, os.Symlink(test.target, filepath.Join(r.dir, "link")))
			write(t, filepath.Join(r.dir, "b", "c.yml"), "c: 1\n")
			require.NoError(t, os.Symlink("../a.yml", filepath.Join(r.dir, "b", "up")))
			r.commit("a.yml", "a: 1\n", "v1.2.3")
			v := newVersion(t, indent(r.contents()+test.more))
			_, err := upstream.Lock(t.Context(), v)
			if err == nil {
				_, err = upstream.Fetch(t.Context(), v)
			}
			require.FileExists(t, filepath.Join(outside, "deploy", "precious.yml"))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			requireNothingKept(t)
		})
	}
}

// TestGitRunsNoHooks has a hook among the files that git puts into every new
// repository.
func TestGitRunsNoHooks(t *testing.T) {
	r := newRepository(t)
	r.commit("a.yml", "a: 1\n", "v1.2.3")
	template := t.TempDir()
	proof := filepath.Join(t.TempDir(), "ran")
	hook := filepath.Join(template, "hooks", "post-checkout")
	write(t, hook, "#!/bin/sh\ntouch "+proof+"\n")
	require.NoError(t, os.Chmod(hook, 0o755))
	t.Setenv("GIT_TEMPLATE_DIR", template)
	relock(t, newVersion(t, indent(r.contents())))
	require.NoFileExists(t, proof)
}

// TestGitTakesNoFolderOfThisMachine holds for submodules, too.
func TestGitTakesNoFolderOfThisMachine(t *testing.T) {
	r := newRepository(t)
	r.commit("a.yml", "a: 1\n", "v1.2.3")
	r.url = "file://" + r.dir
	_, err := upstream.Lock(t.Context(), newVersion(t, indent(r.contents())))
	require.ErrorContains(t, err, "'file' not allowed")
}
