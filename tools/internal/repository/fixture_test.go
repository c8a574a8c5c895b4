package repository_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

const (
	hullDigest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	mastDigest = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// tree is a small checkout whose upstream stands in vendir.yml itself, so
// that building it needs no network. Package "boat" is published in two
// versions, "tender" is the project's own.
func tree() map[string]string {
	files := map[string]string{
		"repo/repository.yml": `domain: strake.test
canonical: registry.test/strake/boats
version: 0.1.0
published:
  boat: [1.0.0, 1.1.0]
`}
	for name, digest := range map[string]string{"boat": hullDigest, "tender": mastDigest} {
		dir := "packages/" + name + "/"
		files[dir+"package.yml"] = strings.ReplaceAll(packageText, "NAME", name)
		files[dir+"vendir.yml"] = strings.ReplaceAll(vendirText, "NAME", name)
		files[dir+"config/schema.yml"] = "#@data/values-schema\n---\n#@schema/desc \"Copies\"\nreplicas: 1\n"
		files[dir+"config/replicas.yml"] = replicasText
		for _, version := range []string{"1.0.0", "1.1.0"} {
			files[dir+version+"/version.yml"] = strings.ReplaceAll(versionText, "VERSION", version)
			files[dir+version+"/images.lock.yml"] = strings.NewReplacer("NAME", name, "DIGEST", digest).Replace(lockText)
			files[dir+version+"/go.mod"] = "module " + name + "\n\ngo 1.26.0\n"
			files[dir+version+"/go.sum"] = ""
		}
	}
	return files
}

const packageText = `name: NAME
metadata:
  displayName: NAME
  shortDescription: Floats
  longDescription: Floats on water
  providerName: Yard
  maintainers: [Yard]
  categories: [ships]
  supportDescription: Ask the yard
  source: https://example.com/NAME
manifests:
  - kind: plain
    path: upstream/NAME
images:
  - name: hull
    reference: upstream.test/NAME/hull
`

const vendirText = `#@ load("@ytt:data", "data")
apiVersion: vendir.k14s.io/v1alpha1
kind: Config
directories:
- path: upstream
  contents:
  - path: NAME
    inline:
      paths:
        #@yaml/text-templated-strings
        NAME.yaml: |
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: NAME, namespace: harbour}
          spec:
            replicas: 1
            template:
              spec:
                containers:
                - name: hull
                  image: upstream.test/NAME/hull:(@= data.values.version @)
`

const replicasText = `#@ load("@ytt:data", "data")
#@ load("@ytt:overlay", "overlay")
#@overlay/match by=overlay.subset({"kind": "Deployment"})
---
spec:
  replicas: #@ data.values.replicas
`

const versionText = `version: VERSION
releasedAt: 2026-02-03
releaseNotes: https://example.com/VERSION
licenses: [Apache-2.0]
capacity: One CPU
kubernetes: ">=1.29.0"
kappController: ">=0.50.0"
includes:
  - {name: Boat, version: VERSION, description: The boat}
`

const lockText = `source: upstream
images:
  - name: hull
    reference: upstream.test/NAME/hull
    digest: DIGEST
    platforms:
      - {platform: linux/amd64, digest: DIGEST}
`

// newTree writes a checkout to a new folder and loads it. Each test has a
// cache of its own.
func newTree(t *testing.T, edit map[string]string) *catalog.Catalog {
	t.Helper()
	t.Setenv(cache.EnvDir, t.TempDir())
	root := t.TempDir()
	files := tree()
	for name, text := range edit {
		files[name] = text
	}
	for name, text := range files {
		put(t, root, name, text)
	}
	return reload(t, root)
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

func reload(t *testing.T, root string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(root)
	require.NoError(t, err)
	return c
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}
