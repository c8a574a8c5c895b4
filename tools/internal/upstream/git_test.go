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
	require.NoError(t, upstream.Lock(t.Context(), v))
	r.commit("a.yml", "a: 2\n", "v1.2.3")
	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{"upstream/app/a.yml": "a: 1\n"})
	require.Equal(t, sha, s.Origins["upstream/app/a.yml"].Sum)

	// What the tag is now comes with a new lock, and only then.
	require.NoError(t, upstream.Lock(t.Context(), v))
	t.Setenv(cache.EnvDir, t.TempDir())
	s, err = upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{"upstream/app/a.yml": "a: 2\n"})
}
