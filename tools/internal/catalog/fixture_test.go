package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

const goodRepository = `domain: strake.internal
canonical: registry.strake.internal/strake/platform
version: 0.1.0
published:
  boat: [1.2.0]
`

const goodPackage = `name: boat
metadata:
  displayName: Boat
  shortDescription: Floats
  longDescription: Floats on water
  providerName: Yard
  maintainers: [Yard]
  categories: [ships]
  source: https://example.com/boat
manifests:
  - kind: kustomize
    path: upstream/boat/config
  - kind: helm
    path: upstream/chart
    release: {name: boat, namespace: harbour}
    values: {replicas: 2, list: [a, null], nested: {on: true}}
images:
  - name: hull
    reference: ghcr.io/example/hull
    command: example.com/boat/cmd/hull
    with: [example.com/boat/cmd/pump]
    links: {/hull: hull, /usr/bin/pump: pump}
    ldflags: ["-X main.version=${VERSION}"]
    user: "1000:0"
    files:
      - {path: /etc/hull, mode: "0644", uid: 1000, gid: 0}
  - name: mast
    reference: mast
`

const goodVersion = `version: 1.2.0
releasedAt: 2026-02-03
releaseNotes: https://example.com/boat/1.2.0
licenses: [Apache-2.0]
capacity: One CPU
kubernetes: ">=1.29.0"
includes:
  - {name: Boat, version: 1.2.0, description: The boat}
`

const goodModule = `module boat

go 1.26.0

tool (
	example.com/boat/cmd/hull
	example.com/boat/cmd/pump
)

require example.com/boat v1.2.0
`

const goodLock = `source: upstream
images:
  - name: hull
    reference: ghcr.io/example/hull
    digest: ` + digestA + `
    platforms:
      - {platform: linux/amd64, digest: ` + digestB + `}
  - name: mast
    reference: mast
    digest: ` + digestA + `
    platforms:
      - {platform: linux/amd64, digest: ` + digestB + `}
      - {platform: linux/arm/v7, digest: ` + digestB + `, sbom: ` + digestA + `}
`

// files are a checkout that loads; tests change one thing in it.
type files map[string]string

func good() files {
	return files{
		"repo/repository.yml":                 goodRepository,
		"packages/boat/package.yml":           goodPackage,
		"packages/boat/vendir.yml":            "kind: Config\n",
		"packages/boat/1.2.0/version.yml":     goodVersion,
		"packages/boat/1.2.0/go.mod":          goodModule,
		"packages/boat/1.2.0/go.sum":          "",
		"packages/boat/1.2.0/images.lock.yml": goodLock,
		"packages/.hidden/x":                  "ignored",
	}
}

// edit replaces before, which must be there, by after in one file.
func (fs files) edit(t *testing.T, name, before, after string) files {
	t.Helper()
	require.Contains(t, fs[name], before)
	fs[name] = strings.Replace(fs[name], before, after, 1)
	return fs
}

func (fs files) with(name, content string) files {
	fs[name] = content
	return fs
}

func (fs files) without(name string) files {
	delete(fs, name)
	return fs
}

// write puts the files into a new folder and answers with it.
func (fs files) write(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range fs {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return root
}
