package upstream_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

func TestConfigErrors(t *testing.T) {
	good := strings.Repeat("0", 64)
	for name, c := range map[string]struct{ contents, want string }{
		"no kind":                       {"path: app", "Expected directory contents type"},
		"leads out":                     {"path: ../../app\nhttp: {url: u, sha256: " + good + "}", "the path leads out of the sources"},
		"new root leads out":            {"path: app\nnewRootPath: ../x\nhttp: {url: u, sha256: " + good + "}", "newRootPath ../x leads out"},
		"ignored paths":                 {"path: app\nignorePaths: [a]\nhttp: {url: u, sha256: " + good + "}", "use excludePaths"},
		"folder":                        {"path: app\ndirectory: {path: ../config}", `directory.path "../config" is no Go module`},
		"module without path":           {"path: app\ndirectory: {path: 'module://'}", "is no Go module"},
		"http without sum":              {"path: app\nhttp: {url: u}", "http.sha256 is missing or no SHA-256"},
		"http with MD5":                 {"path: app\nhttp: {url: u, sha256: d41d8cd98f00b204e9800998ecf8427e}", "http.sha256 is missing or no SHA-256"},
		"release without assets":        {"path: app\ngithubRelease: {slug: o/r, tag: v1}", "githubRelease.assetNames is missing"},
		"release with pattern":          {"path: app\ngithubRelease: {slug: o/r, tag: v1, assetNames: ['*.yml'], checksums: {a.yml: '" + good + "'}}", `"*.yml" is a pattern`},
		"release without sum":           {"path: app\ngithubRelease: {slug: o/r, tag: v1, assetNames: [a.yml], checksums: {b.yml: '" + good + "'}}", `githubRelease.checksums["a.yml"] is missing`},
		"release over http without sum": {"path: app\ngithubRelease: {slug: o/r, tag: v1, http: {url: u}}", "githubRelease.http.sha256 is missing"},
		"chart without sum":             {"path: app\nhelmChart: {name: app, version: 1.0.0}", "helmChart.sha256 is missing"},
		"mercurial":                     {"path: app\nhg: {url: u, ref: r}", "cannot be fetched reproducibly"},
		"manual":                        {"path: app\nmanual: {}", "cannot be fetched reproducibly"},
		"asset in a folder":             {"path: app\ngithubRelease: {slug: o/r, tag: v1, assetNames: ['../a.yml'], checksums: {'../a.yml': '" + good + "'}}", `"../a.yml" is no file name`},
		"secret of http":                {"path: app\nhttp: {url: u, sha256: " + good + ", secretRef: {name: s}}", "http.secretRef names a Secret"},
		"secret of image":               {"path: app\nimage: {url: u, secretRef: {name: s}}", "image.secretRef names a Secret"},
		"unknown value":                 {"path: #@ data.values.nothing", "undefined: data"},
		"secret":                        {"path: app\nhttp: {url: u, sha256: " + good + "}\n---\nkind: Secret", "it gives 2 documents"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVersion(t, strings.ReplaceAll(indent(c.contents), "    ---\n    ", "---\n"))
			_, err := upstream.Fetch(t.Context(), v)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, filepath.Join(v.Package.Dir, "vendir.yml"))
			_, err = upstream.Lock(t.Context(), v)
			require.ErrorContains(t, err, c.want)
			requireNothingKept(t)
		})
	}
}

func TestConfigErrorsAllAtOnce(t *testing.T) {
	v := newVersion(t, indent("path: a\nhttp: {url: u}")+indent("path: b\nmanual: {}"))
	_, err := upstream.Fetch(t.Context(), v)
	require.ErrorContains(t, err, "upstream/a: http.sha256")
	require.ErrorContains(t, err, "upstream/b: hg and manual")
}

func TestNoConfig(t *testing.T) {
	v := newVersion(t, "")
	require.NoError(t, os.Remove(filepath.Join(v.Package.Dir, "vendir.yml")))
	_, err := upstream.Fetch(t.Context(), v)
	require.ErrorContains(t, err, "reading what app 1.2.3+strake.2 takes from upstream")
}

// TestTemplateSeesTheVersion gives a checksum for each version, as a template
// for several has to.
func TestTemplateSeesTheVersion(t *testing.T) {
	s := newServer(t)
	s.files["/1.2.3/1.2.3+strake.2.yml"] = []byte("a: 1\n")
	v := newVersion(t, indent(fmt.Sprintf(`
path: app
#@ load("@ytt:data", "data")
#@ sums = {"1.2.3": "%s", "1.2.4": "?"}
#@ if "sail" not in data.values.package.leftOut:
http:
  url: #@ "%s/{}/{}.yml".format(data.values.version, data.values.package.version)
  sha256: #@ sums[data.values.version]
#@ end
`, sum([]byte("a: 1\n")), s.URL)))
	relock(t, v)
	got, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, got, map[string]string{"upstream/app/1.2.3+strake.2.yml": "a: 1\n"})
}

func TestLockErrors(t *testing.T) {
	s := newServer(t)
	contents := httpFrom(s, "/a.yml", []byte("a: 1\n"), "")
	for name, c := range map[string]struct {
		change func(v *catalog.Version, lock string)
		want   []string
	}{
		"unreadable": {
			func(_ *catalog.Version, lock string) { write(t, lock, "kind: Config\n") },
			[]string{"vendir.lock.yml", "Unknown version"},
		},
		"entry is missing": {
			func(_ *catalog.Version, lock string) {
				write(t, lock, strings.ReplaceAll(read(t, lock), "path: app", "path: other"))
			},
			[]string{"vendir.lock.yml has no entry", "the entry upstream/other is of nothing", "strake upstream lock app@"},
		},
		"entry of another kind": {
			func(_ *catalog.Version, lock string) {
				write(t, lock, strings.ReplaceAll(read(t, lock), "http: {}", "git: {sha: ''}"))
			},
			[]string{"vendir.lock.yml pins nothing", "strake upstream lock app@"},
		},
		"vendir.yml has changed": {
			func(v *catalog.Version, _ string) {
				write(t, filepath.Join(v.Package.Dir, "vendir.yml"), configHead+indent(contents+"excludePaths: [x]\n"))
			},
			[]string{"was written for another configuration", "strake upstream lock app@"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVersion(t, indent(contents))
			relock(t, v)
			c.change(v, filepath.Join(v.Dir, catalog.VendirLockFile))
			_, err := upstream.Fetch(t.Context(), v)
			require.Error(t, err)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			requireNothingKept(t)
		})
	}
}

// TestModuleBesideFetchedFiles has one lock file, with nothing of the module.
func TestModuleBesideFetchedFiles(t *testing.T) {
	v, p := newModuleVersion(t)
	file := filepath.Join(v.Package.Dir, "vendir.yml")
	text := "path: text\ninline: {paths: {a.txt: words}}\n"
	write(t, file, read(t, file)+indent(strings.Replace(httpFrom(p.server, "/b.yml", []byte("b: 1\n"), ""), "path: app", "path: more", 1))+indent(text))
	relock(t, v)
	lock := read(t, filepath.Join(v.Dir, catalog.VendirLockFile))
	require.NotContains(t, lock, "directory:")
	require.Contains(t, lock, "path: more")

	s, err := upstream.Fetch(t.Context(), v)
	require.NoError(t, err)
	requireFiles(t, s, map[string]string{
		"upstream/app/LICENSE": "free\n", "upstream/app/config/a.yml": "a: 1\n", "upstream/app/config/sub/b.yml": "b: 2\n",
		"upstream/more/b.yml": "b: 1\n", "upstream/text/a.txt": "words",
	})
	require.Equal(t, upstream.Origin{Source: "inline vendir.yml", Path: "a.txt", Sum: "sha256:" + sum([]byte("words"))},
		s.Origins["upstream/text/a.txt"])
}

// TestCredentialsAreRefused in every field that is an address. None of them is
// repeated.
func TestCredentialsAreRefused(t *testing.T) {
	good := strings.Repeat("0", 64)
	const url = "https://someone:hunter2@example.test/a"
	for field, contents := range map[string]string{
		"git.url":                  "git: {url: '" + url + "', ref: v1}",
		"hg.url":                   "hg: {url: '" + url + "', ref: v1}",
		"http.url":                 "http: {url: '" + url + "', sha256: " + good + "}",
		"image.url":                "image: {url: 'someone:hunter2@example.test/a'}",
		"imgpkgBundle.image":       "imgpkgBundle: {image: '" + url + "'}",
		"githubRelease.url":        "githubRelease: {url: '" + url + "', assetNames: [a], checksums: {a: '" + good + "'}}",
		"githubRelease.http.url":   "githubRelease: {slug: o/r, tag: v1, http: {url: '" + url + "', sha256: " + good + "}}",
		"helmChart.repository.url": "helmChart: {name: a, version: 1.0.0, sha256: " + good + ", repository: {url: '" + strings.Replace(url, "https", "oci", 1) + "'}}",
		"directory.path":           "directory: {path: 'module://someone:hunter2@example.test'}",
	} {
		t.Run(field, func(t *testing.T) {
			v := newVersion(t, indent("path: app\n"+contents))
			_, err := upstream.Fetch(t.Context(), v)
			require.ErrorContains(t, err, field+" has a user name or password in it")
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "someone")
			_, err = upstream.Lock(t.Context(), v)
			require.ErrorContains(t, err, field)
		})
	}
}

func TestCredentialsInAddresses(t *testing.T) {
	for value, refused := range map[string]bool{
		"https://example.test/a":                 false,
		"https://example.test/a@v1":              false,
		"https://token@example.test/a":           true,
		"https://a:b@example.test":               true,
		"https://a:b/c@example.test/d":           true,
		"http://a:@example.test":                 true,
		"ssh://git@example.test/a":               false,
		"ssh://git:pw@example.test/a":            true,
		"git+ssh://git@example.test/a":           false,
		"git@example.test:a/b.git":               false,
		"git:pw@example.test:a/b.git":            true,
		"example.test/a@sha256:0000":             false,
		"example.test:5000/a:v1@sha256:0000":     false,
		"someone:hunter2@example.test:5000/a:v1": true,
	} {
		v := newVersion(t, indent("path: app\ngit: {url: '"+value+"', ref: v1}"))
		_, err := upstream.Fetch(t.Context(), v)
		require.Error(t, err)
		require.Equal(t, refused, strings.Contains(err.Error(), "git.url has a user name or password"), value)
	}
}

// TestLockSaysWhatItDid has a lock that is new, one that stays, and one that
// nothing needs.
func TestLockSaysWhatItDid(t *testing.T) {
	s := newServer(t)
	v := newVersion(t, indent(httpFrom(s, "/a.yml", []byte("a: 1\n"), "")))
	require.Equal(t, upstream.Locked, relock(t, v))
	require.Equal(t, upstream.Unchanged, relock(t, v))
	write(t, filepath.Join(v.Package.Dir, "vendir.yml"), configHead+indent("path: app\ninline: {paths: {a: b}}"))
	require.Equal(t, upstream.NothingToFetch, relock(t, v))
	require.NoFileExists(t, filepath.Join(v.Dir, catalog.VendirLockFile))
	require.NoError(t, os.Remove(filepath.Join(v.Package.Dir, "vendir.yml")))
	require.Equal(t, upstream.NothingToFetch, relock(t, v))
	v.Package.Manifests = []catalog.Manifest{{Kind: catalog.Plain, Path: "upstream"}}
	_, err := upstream.Lock(t.Context(), v)
	require.ErrorContains(t, err, "vendir.yml")
}
