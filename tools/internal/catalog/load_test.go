package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoad(t *testing.T) {
	root := good().
		with("packages/boat/1.10.0+strake.2/version.yml", strings.Replace(goodVersion, "1.2.0", "1.10.0+strake.2", 1)).
		with("packages/boat/1.10.0+strake.2/go.mod", goodModule).
		with("packages/boat/1.10.0+strake.2/go.sum", "").
		with("packages/boat/1.10.0+strake.2/images.lock.yml", goodLock).
		write(t)
	c, err := Load(root)
	require.NoError(t, err)
	require.Equal(t, root, c.Root)
	require.Equal(t, "boat.strake.internal", c.Repository.FullName("boat"))
	boat, err := c.Package("boat")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "packages/boat/config"), boat.Config())
	require.Equal(t, []string{"1.2.0", "1.10.0+strake.2"}, versionNames(boat), "by semantic version, not by letters")

	first, second := boat.Versions[0], boat.Versions[1]
	require.Equal(t, "boat 1.2.0", first.ID())
	require.Equal(t, "1.10.0", second.Upstream, "the revision is ours, not upstream's")
	require.Equal(t, time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC), first.ReleasedAt)
	require.True(t, c.Published(first))
	require.False(t, c.Published(second))
	require.Equal(t, digestA, first.Images.Images[1].Platforms[1].SBOM)
	require.Equal(t, map[string]any{"replicas": 2, "list": []any{"a", nil}, "nested": map[string]any{"on": true}},
		boat.Manifests[1].Values)
	require.Equal(t, &HelmRelease{Name: "boat", Namespace: "harbour"}, boat.Manifests[1].Release)
}

func TestLoadProgramsOfThePackagesOwn(t *testing.T) {
	root := good().
		edit(t, "packages/boat/package.yml", "with: [example.com/boat/cmd/pump]", "with: [strake.test/pump]").
		edit(t, "packages/boat/1.2.0/go.mod", "\texample.com/boat/cmd/pump\n", "").
		with("packages/boat/pump/go.mod", "module strake.test/pump\n\ngo 1.26.0\n\ntool strake.test/pump\n").
		with("packages/boat/pump/go.sum", "").
		with("packages/boat/pump/main.go", "package main\n\nfunc main() {}\n").
		with("packages/_common/check.star", "").
		write(t)
	c, err := Load(root)
	require.NoError(t, err)
	require.Len(t, c.Packages, 1, "shared files are no package")
	boat := c.Packages[0].Versions[0]
	require.Equal(t, filepath.Join(root, "packages/boat/pump"), boat.Module("strake.test/pump"))
	require.Equal(t, boat.Dir, boat.Module("example.com/boat/cmd/hull"))
}

func TestLoadVersionOfProgramsAlone(t *testing.T) {
	root := good().
		edit(t, "packages/boat/package.yml", "    with: [example.com/boat/cmd/pump]\n    links: {/hull: hull, /usr/bin/pump: pump}\n", "").
		without("packages/boat/1.2.0/go.mod").without("packages/boat/1.2.0/go.sum").
		with("packages/boat/hull/go.mod", "module example.com/boat/cmd/hull\n\ngo 1.26.0\n\ntool example.com/boat/cmd/hull\n").
		with("packages/boat/hull/go.sum", "").
		write(t)
	c, err := Load(root)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "packages/boat/hull"), c.Packages[0].Versions[0].Module("example.com/boat/cmd/hull"))
}

func TestLoadPackageWithoutUpstream(t *testing.T) {
	own, _, _ := strings.Cut(goodPackage, "manifests:")
	root := good().
		with("packages/boat/package.yml", own).
		without("packages/boat/vendir.yml").without("packages/boat/1.2.0/go.mod").without("packages/boat/1.2.0/images.lock.yml").
		write(t)
	c, err := Load(root)
	require.NoError(t, err)
	require.Empty(t, c.Packages[0].Versions[0].Images.Images, "no image, so nothing to lock")
}

// TestLoadErrors changes one thing in a good checkout; the error is the whole answer.
func TestLoadErrors(t *testing.T) {
	const (
		repo    = "repo/repository.yml"
		pkg     = "packages/boat/package.yml"
		version = "packages/boat/1.2.0/version.yml"
		mod     = "packages/boat/1.2.0/go.mod"
		lock    = "packages/boat/1.2.0/images.lock.yml"
	)
	tests := []struct {
		name, file, old, new string
		want                 []string // one a line, in order
	}{
		{"unknown field", pkg, "images:", "imagess:", []string{pkg + `:17: unknown field "imagess"; did you mean images?`}},
		{"unknown nested field", pkg, "    user:", "    usr:", []string{pkg + `:24: unknown field "usr"; did you mean user?`}},
		{"duplicate", pkg, "  displayName: Boat", "  displayName: Boat\n  displayName: Ship", []string{pkg + `:4: duplicate field "metadata.displayName"; the first is at line 3`}},
		{"duplicate in free values", pkg, "nested: {on: true}", "nested: {on: true, on: false}", []string{pkg + `:16: duplicate field "manifests[1].values.nested.on"`}},
		{"missing field", pkg, "  providerName: Yard\n", "", []string{pkg + `:3: missing field "metadata.providerName"`}},
		{"empty field", pkg, "displayName: Boat", `displayName: ""`, []string{pkg + `:3: field "metadata.displayName" is empty; give it a value`}},
		{"null field", pkg, "displayName: Boat", `displayName:`, []string{pkg + `:3: field "metadata.displayName" must be a string, not empty`}},
		{"number for string", version, "version: 1.2.0\nrel", "version: 1.2\nrel", []string{
			version + `:1: field "version" must be a string, not 1.2 (float); put it in quotes`, `:1: version "" differs`}},
		{"string for list", version, "[Apache-2.0]", "Apache-2.0", []string{version + `:4: field "licenses" must be a list, not Apache-2.0 (str)`, `no license`}},
		{"string for number", pkg, "uid: 1000", `uid: "1000"`, []string{pkg + `:26: field "images[0].files[0].uid" must be a whole number, not 1000 (str)`}},
		{"number out of range", pkg, "uid: 1000", "uid: 99999999999999999999", []string{pkg + `:26: field "images[0].files[0].uid" must be a whole number`}},
		{"list for mapping", pkg, "release: {name: boat, namespace: harbour}", "release: []", []string{pkg + `:15: field "manifests[1].release" must be a mapping, not a list`}},
		{"bad date", version, "2026-02-03", "yesterday", []string{version + `:2: field "releasedAt" must be a date such as 2026-01-31, not yesterday (str)`}},
		{"key that is no string", pkg, "values: {replicas: 2", "values: {1: 2", []string{pkg + `:16: a key of field "manifests[1].values" is not a string`}},
		{"anchor", pkg, "maintainers: [Yard]", "maintainers: &m [Yard]", []string{pkg + ":7: anchors and aliases are not used here"}},
		{"two documents", version, "version: 1.2.0\nrel", "version: 1.2.0\n---\nrel", []string{version + ":2: a second YAML document begins here"}},
		{"not YAML", repo, "version: 0.1.0", "version: [", []string{repo + ":"}},
		{"tab", repo, "version: 0.1.0", "\tversion: 0.1.0", []string{repo + ":2: not YAML: found a tab character that violates indentation"}},

		{"domain", repo, "strake.internal\n", "strake\n", []string{repo + `:1: "strake" is not a DNS domain of two or more`}},
		{"canonical scheme", repo, "canonical: ", "canonical: https://", []string{repo + `:2: "https://registry.strake.internal/strake/platform" begins with a scheme; write HOST/PATH alone`}},
		{"canonical tag", repo, "/platform", "/platform:1", []string{`names the tag "1"`}},
		{"canonical digest", repo, "/platform", "/platform@" + digestA, []string{`names a digest`}},
		{"canonical host", repo, "registry.strake.internal/", "", []string{`does not begin with a registry host`}},
		{"canonical path", repo, "/strake/platform", "", []string{`has no path`}},
		{"mirror", repo, "version: 0.1.0", "version: 0.1.0\nimagesFrom: [mirror.test/a, 'https://mirror.test/b', mirror.test/a, 'mirror.test/c:1', '']", []string{
			repo + `:4: "" does not begin with a registry host; write HOST/PATH alone`,
			repo + `:4: "https://mirror.test/b" begins with a scheme; write HOST/PATH alone`,
			repo + `:4: "mirror.test/a" is listed twice`, repo + `:4: "mirror.test/c:1" names the tag "1"`,
		}},
		{"canonical case", repo, "/platform", "/Platform", []string{`has no path of lower-case words`}},
		{"repository version", repo, "0.1.0", "v0.1", []string{repo + `:3: version "v0.1" is not a semantic version`}},
		{"published package", repo, "boat:", "bote:", []string{repo + `:5: package "bote" is not in packages/; did you mean boat?`}},
		{"published version", repo, "[1.2.0]", "[1.2.1, 1.2.0, 1.2.0]", []string{repo + `:5: boat has no version "1.2.1"; known: 1.2.0`, `version "1.2.0" is listed twice`}},

		{"bootstrap package", repo, "published:", "bootstrap: [bote]\npublished:", []string{repo + `:4: package "bote" is not in packages/; did you mean boat?`}},
		{"storage package", repo, "published:", "storage: bote\npublished:", []string{repo + `:4: package "bote" is not in packages/; did you mean boat?`}},
		{"bootstrap of what is published", repo, "published:", "bootstrap: [boat]\npublished:", []string{repo + `:4: boat is published, so it is installed from the repository`}},

		{"package name", pkg, "name: boat", "name: ship", []string{pkg + `:1: name "ship" differs from its folder "boat"`}},
		{"source URL", pkg, "https://example.com/boat", "example.com/boat", []string{pkg + `:9: metadata.source "example.com/boat" is not an https URL`}},
		{"manifest kind", pkg, "kind: kustomize", "kind: jsonnet", []string{pkg + `:11: unknown kind "jsonnet"; known: ["plain" "kustomize" "helm" "ytt"]`}},
		{"path escapes", pkg, "path: upstream/boat/config", "path: upstream/../../etc", []string{pkg + `:12: path "upstream/../../etc" leaves the upstream sources`}},
		{"path absolute", pkg, "path: upstream/boat/config", "path: /etc", []string{pkg + `:12: path "/etc" leaves`}},
		{"helm without release", pkg, "    release: {name: boat, namespace: harbour}\n", "", []string{pkg + `:13: a helm manifest requires a release`}},
		{"release without helm", pkg, "kind: helm", "kind: plain", []string{pkg + `:15: release is for helm`, pkg + `:16: values are for helm`}},
		{"image name", pkg, "- name: mast", "- name: Mast", []string{pkg + `:27: image name "Mast"`}},
		{"two images of one name", pkg, "- name: mast", "- name: hull", []string{pkg + `:27: name "hull" is also used by images[0]`}},
		{"reference tag", pkg, "example/hull\n", "example/hull:1.0\n", []string{pkg + `:19: reference "ghcr.io/example/hull:1.0" names a tag`}},
		{"reference digest", pkg, "reference: mast", "reference: mast@" + digestA, []string{`names a digest`}},
		{"reference spaces", pkg, "reference: mast", "reference: ma st", []string{`holds white space`}},
		{"options without command", pkg, "    command: example.com/boat/cmd/hull\n", "", []string{pkg + `:18: only an image with a command is built`}},
		{"link target", pkg, "/hull: hull", "/hull: keel", []string{pkg + `:22: link "/hull" points to "keel", which is no command of this image; known: hull, pump`}},
		{"link path", pkg, "/hull: hull", "hull: hull", []string{pkg + `:22: link "hull" is not a clean absolute path`}},
		{"ldflags variable", pkg, "${VERSION}", "${REVISION}", []string{pkg + `:23: unknown variable "REVISION"; known: ${VERSION}`}},
		{"build tag", pkg, "    user:", "    tags: [all, 'a b']\n    user:", []string{pkg + `:24: build tag "a b" is not of letters`}},
		{"two programs of one name", pkg, "[example.com/boat/cmd/pump]", "[example.com/other/hull, example.com/boat/cmd/pump]", []string{pkg + `:21: a program "hull" is already in the image`}},
		{"published variable", pkg, "    user:", "    published: quay.io/hull:$TAG\n    user:", []string{pkg + `:24: unknown variable "TAG"; known: ${VERSION}, ${MODULE_VERSION}`}},
		{"published scheme", pkg, "    user:", "    published: https://quay.io/hull\n    user:", []string{pkg + `:24: published "https://quay.io/hull" begins with a scheme`}},
		{"folder of certificates", pkg, "uid: 1000", "folder: true, caRoots: true, uid: 1000", []string{pkg + `:26: a folder cannot hold the certificates`}},
		{"generator", pkg, "    user:", "    generate: {command: example.com/yard/writer}\n    user:", []string{mod + `:7: no tool directive for example.com/yard/writer, which package.yml builds`}},
		{"generator without command", pkg, "reference: mast\n", "reference: mast\n    generate: {command: example.com/yard/writer}\n", []string{pkg + `:27: only an image with a command is built`}},
		{"generator's file outside", pkg, "    user:", "    generate: {command: example.com/boat/cmd/pump, files: [../words.txt]}\n    user:", []string{pkg + `:24: file "../words.txt" leaves the folder of go.mod`}},
		{"generator's file absent", pkg, "    user:", "    generate: {command: example.com/boat/cmd/pump, files: [words.txt]}\n    user:", []string{`packages/boat/1.2.0/words.txt: missing; package.yml names it as a file from which the sources of image hull are generated`}},
		{"user", pkg, `"1000:0"`, "nobody", []string{pkg + `:24: user "nobody" is not UID or UID:GID`}},
		{"file path", pkg, "path: /etc/hull", "path: /etc/../hull", []string{pkg + `:26: path "/etc/../hull" is not a clean absolute path`}},
		{"file mode", pkg, `"0644"`, `"644"`, []string{pkg + `:26: mode "644" is not octal`}},
		{"file owner", pkg, "uid: 1000", "uid: -1", []string{"uid and gid must not be negative"}},

		{"version folder", version, "version: 1.2.0", "version: 1.2.1", []string{version + `:1: version "1.2.1" differs from its folder "1.2.0"`}},
		{"upstream", version, "capacity", "upstream: v1.2.0\ncapacity", []string{version + `:5: upstream "v1.2.0" begins with "v"`}},
		{"licenses", version, "[Apache-2.0]", "[]", []string{version + `:4: no license`}},
		{"upgradesFrom", version, "capacity", "upgradesFrom: older\ncapacity", []string{version + `:5: upgradesFrom "older" is not a range of versions`}},
		{"exception without a reason", pkg, "images:", "lint: {allow: [{rule: x, object: y}]}\nimages:", []string{pkg + `:17: missing field "lint.allow[0].reason"`}},
		{"constraint", version, ">=1.29.0", "~> 1.29", []string{version + `:6: kubernetes "~> 1.29" is not a range of versions`}},

		{"tool", mod, "\texample.com/boat/cmd/pump\n", "", []string{mod + `:6: no tool directive for example.com/boat/cmd/pump, which package.yml builds; run "go get -tool example.com/boat/cmd/pump@VERSION" here`}},
		{"go.mod", mod, "module boat", "modul boat", []string{mod + `:1: unknown directive: modul`}},

		{"lock source", lock, "source: upstream", "source: thinair", []string{lock + `:1: unknown source "thinair"; known: module, upstream`}},
		{"lock of module", lock, "source: upstream", "source: module", []string{
			lock + `:1: images from a module require toolchain and base`, lock + `:3: an image from a module requires the hash`,
			lock + `:8: an image from a module requires`, lock + `:8: image "mast" has no command in package.yml, so it can only`}},
		{"lock of upstream", lock, "source: upstream", "source: upstream\nbase: " + digestA, []string{lock + `:1: images from upstream have neither toolchain nor base; remove them`}},
		{"lock name", lock, "name: mast", "name: mask", []string{lock + `:8: name is "mask", but "mast" in package.yml; run "strake images lock boat@1.2.0 --images=upstream"`}},
		{"lock reference", lock, "ghcr.io/example/hull", "ghcr.io/example/keel", []string{lock + `:4: reference is "ghcr.io/example/keel", but "ghcr.io/example/hull" in package.yml`}},
		{"image not locked", pkg, "reference: mast\n", "reference: mast\n  - {name: oar, reference: oar}\n", []string{lock + `:2: image "oar" of package.yml is not locked`}},
		{"image locked in vain", pkg, "  - name: mast\n    reference: mast\n", "", []string{lock + `:8: image "mast" is not in package.yml`}},
		{"digest", lock, digestA, "sha256:AAAA", []string{lock + `:5: images[0].digest "sha256:AAAA" is not "sha256:" and 64 hexadecimal digits`}},
		{"platform digest", lock, digestB, "md5:00", []string{lock + `:7: images[0].platforms[0].digest "md5:00"`}},
		{"platform", lock, "linux/amd64", "linux", []string{lock + `:7: platform "linux" is not OS/ARCH`}},
		{"platform twice", lock, "linux/arm/v7", "linux/amd64", []string{lock + `:13: platform "linux/amd64" is listed twice`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := good().edit(t, tt.file, tt.old, tt.new).write(t)
			c, err := Load(root)
			require.Nil(t, c)
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(tt.want), "%s", err)
			for i, want := range tt.want {
				require.Contains(t, lines[i], want, "line %d of:\n%s", i, err)
			}
			require.NotContains(t, err.Error(), root, "paths are relative to the checkout")
		})
	}
}

func TestLoadTreeErrors(t *testing.T) {
	const dir = "packages/boat/1.2.0"
	tests := []struct {
		name string
		tree files
		want string
	}{
		{"no repository.yml", good().without("repo/repository.yml"), "repo/repository.yml: missing; it names the domain"},
		{"no package.yml", good().without("packages/boat/package.yml"), "packages/boat/package.yml: missing; every package requires one"},
		{"no version.yml", good().without(dir + "/version.yml"), dir + "/version.yml: missing; every version requires one"},
		{"no go.mod", good().without(dir + "/go.mod"), dir + `/go.mod: missing; run "go mod init" and "go get -tool PACKAGE@VERSION" here`},
		{"no go.sum", good().without(dir + "/go.sum"), dir + "/go.sum: missing"},
		{"no lock", good().without(dir + "/images.lock.yml"), dir + `/images.lock.yml: missing; run "strake images lock boat@1.2.0 --images=upstream"`},
		{"misspelt lock", good().with(dir+"/image.lock.yml", ""), dir + "/image.lock.yml: nothing reads this file"},
		{"file among packages", good().with("packages/notes.txt", ""), "packages/notes.txt: an unexpected file: only package folders belong here"},
		{"stray folder", good().with("packages/boat/overlays/x.yml", ""), "packages/boat/overlays: not a part of a package, a version folder"},
		{"version with v", good().with("packages/boat/v1.3.0/version.yml", ""), "packages/boat/v1.3.0: not a part"},
		{"no version", good().with("packages/ship/package.yml", strings.Replace(goodPackage, "boat", "ship", 1)), "packages/ship: no version; add a folder such as packages/ship/1.2.3"},
		{"lock is a folder", good().without(dir+"/images.lock.yml").with(dir+"/images.lock.yml/x", ""), dir + "/images.lock.yml: "},
		{"empty file", good().with("repo/repository.yml", ""), "repo/repository.yml:1: the file is empty"},
		{"only a comment", good().with("repo/repository.yml", "# nothing\n"), "repo/repository.yml:1: the file is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.tree.write(t))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestLoadNestedModule(t *testing.T) {
	const nested = "packages/boat/1.2.0/pumps/"
	pump := "module pumps\n\ngo 1.26.0\n\ntool example.com/boat/cmd/pump\n"
	tree := func() files {
		return good().edit(t, "packages/boat/1.2.0/go.mod", "\texample.com/boat/cmd/pump\n", "").
			with(nested+"go.mod", pump).with(nested+"go.sum", "").with("packages/boat/1.2.0/standin/go.mod", "module example.com/standin\n")
	}
	c, err := Load(tree().write(t))
	require.NoError(t, err)
	v := c.Packages[0].Versions[0]
	require.Equal(t, v.Dir, v.Module("example.com/boat/cmd/hull"))
	require.Equal(t, filepath.Join(v.Dir, "pumps"), v.Module("example.com/boat/cmd/pump"))

	_, err = Load(tree().without(nested + "go.sum").write(t))
	require.ErrorContains(t, err, nested+"go.sum: missing")
	_, err = Load(tree().with(nested+"go.mod", "modul").write(t))
	require.ErrorContains(t, err, nested+"go.mod:1: unknown directive: modul")
	_, err = Load(good().with(nested+"go.mod", pump).with(nested+"go.sum", "").write(t))
	require.ErrorContains(t, err, nested+"go.mod:5: example.com/boat/cmd/pump is pinned in packages/boat/1.2.0 too; keep one of the two")
}

func TestModuleVersion(t *testing.T) {
	c, err := Load(good().edit(t, "packages/boat/1.2.0/go.mod", "require example.com/boat v1.2.0",
		"require (\n\texample.com/boat v1.2.0\n\texample.com/boat/cmd v0.3.0\n)").write(t))
	require.NoError(t, err)
	v := c.Packages[0].Versions[0]
	for command, want := range map[string]string{
		"example.com/boat/cmd/hull": "0.3.0", "example.com/boat": "1.2.0", "example.com/boat/hull": "1.2.0",
	} {
		version, err := v.ModuleVersion(command)
		require.NoError(t, err)
		require.Equal(t, want, version, command)
	}
	_, err = v.ModuleVersion("example.com/boats")
	require.ErrorContains(t, err, "go.mod requires no module that contains example.com/boats")
}

func TestLoadTellsAllErrorsOfAllFiles(t *testing.T) {
	tree := good().
		edit(t, "packages/boat/package.yml", "kind: helm", "kind: jsonnet").
		edit(t, "packages/boat/package.yml", "displayName", "dispalyName").
		edit(t, "packages/boat/1.2.0/version.yml", "capacity", "capactiy").
		edit(t, "repo/repository.yml", "domain: strake.internal", "domain: strake")
	root := tree.write(t)
	_, err := Load(root)
	var places []string
	for line := range strings.Lines(err.Error()) {
		place, _, _ := strings.Cut(line, ": ")
		places = append(places, place)
	}
	require.Equal(t, []string{
		"packages/boat/package.yml:3", "packages/boat/package.yml:3",
		"packages/boat/package.yml:13",
		"packages/boat/1.2.0/version.yml:5", "repo/repository.yml:1",
	}, places)
	_, again := Load(root)
	require.Equal(t, err.Error(), again.Error(), "the order is fixed")
}

func TestLoadAllowsMissingLocks(t *testing.T) {
	const lock = "packages/boat/1.2.0/images.lock.yml"
	for name, tree := range map[string]files{
		"missing": good().without(lock),
		"broken":  good().with(lock, "source: ["),
		"stale":   good().edit(t, lock, "name: mast", "name: mask"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(tree.write(t), AllowMissingLocks)
			require.NoError(t, err)
			require.Nil(t, c.Packages[0].Versions[0].Images)
		})
	}
	_, err := Load(good().without(lock).without("repo/repository.yml").write(t), AllowMissingLocks)
	require.EqualError(t, err, "repo/repository.yml: missing; it names the domain and the canonical repository")
}

func TestFindRoot(t *testing.T) {
	root := good().write(t)
	for _, dir := range []string{".", "packages", "packages/boat/1.2.0"} {
		found, err := FindRoot(filepath.Join(root, dir))
		require.NoError(t, err)
		require.Equal(t, root, found)
	}
	_, err := FindRoot(t.TempDir())
	require.ErrorContains(t, err, "has repo/repository.yml; change to a checkout, or pass it with --root")
}

func TestLoadWithoutPackages(t *testing.T) {
	root := files{"repo/repository.yml": "domain: a.b\ncanonical: a.b/c\nversion: 0.1.0\npublished: {}\n"}.write(t)
	_, err := Load(root)
	require.ErrorContains(t, err, "packages: ")
	require.NoError(t, os.Mkdir(filepath.Join(root, "packages"), 0o755))
	c, err := Load(root)
	require.NoError(t, err)
	require.Empty(t, c.Packages)
}
