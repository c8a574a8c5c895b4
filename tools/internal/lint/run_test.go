package lint

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

const upstreamObjects = `apiVersion: v1
kind: ConfigMap
metadata: {name: boat, namespace: harbour}
data: {sidecar: "quay.io/example/sidecar:1"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: harbour}
stringData: {pin: "1"}
---
apiVersion: v1
kind: Pod
metadata: {name: boat, namespace: harbour}
spec: {containers: [{name: hull, image: "ghcr.io/example/hull:main"}]}
`

const badSchema = `#@data/values-schema
---
namespace: harbour
#@schema/desc "Name of the captain"
captain: ""
`

const badKapp = `apiVersion: kapp.k14s.io/v1alpha1
kind: Config
rebaseRules:
- path: [data]
  type: copy
  sources: [existing, new]
  resourceMatchers:
  - apiVersionKindMatcher: {apiVersion: v1, kind: ConfigMap, name: other}
`

const boatPackage = `name: boat
metadata: {displayName: Boat, shortDescription: Floats, longDescription: Floats, providerName: Yard, maintainers: [Yard], categories: [ships], source: "https://example.com/boat"}
manifests: [{kind: plain, path: upstream/boat}]
images: [{name: hull, reference: ghcr.io/example/hull}]
proof: it floats
`

const boatVersion = `version: 1.0.0
releasedAt: 2026-01-02
releaseNotes: None
licenses: [Apache-2.0]
kubernetes: ">=1.29.0"
includes: []
`

const boatLock = "source: upstream\nimages:\n- {name: hull, reference: ghcr.io/example/hull, digest: \"" + digestA +
	"\", platforms: [{platform: linux/amd64, digest: \"" + digestB + "\"}]}\n"

// goodPod is a Pod that no rule refuses.
const goodPod = `apiVersion: v1
kind: Pod
metadata: {name: boat, namespace: harbour}
spec: {containers: [{name: hull, image: "ghcr.io/example/hull:main", securityContext: {runAsNonRoot: true}, resources: {limits: {memory: 1Gi}}}]}
`

// checkout is a project with one package of one version, whose upstream stands
// in vendir.yml. Files replace those of the same name.
func checkout(t *testing.T, files map[string]string) *catalog.Catalog {
	t.Helper()
	all := map[string]string{
		"repo/repository.yml":                 "domain: strake.internal\ncanonical: " + canonical + "\nversion: 0.1.0\npublished: {boat: [1.0.0]}\n",
		"packages/boat/package.yml":           boatPackage,
		"packages/boat/1.0.0/version.yml":     boatVersion,
		"packages/boat/1.0.0/images.lock.yml": boatLock,
		"packages/boat/permissions/base.yml":  "reason: Every boat.\n",
	}
	for name, content := range files {
		all[name] = content
	}
	root := t.TempDir()
	for name, content := range all {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	c, err := catalog.Load(root)
	require.NoError(t, err)
	return c
}

// inline is a vendir.yml that holds the objects itself.
func inline(objects string) string {
	text := "apiVersion: vendir.k14s.io/v1alpha1\nkind: Config\ndirectories:\n- path: upstream\n  contents:\n  - path: boat\n    inline:\n      paths:\n        boat.yml: |\n"
	lines := splitLines(objects)
	return text + "          " + strings.Join(lines, "\n          ") + "\n"
}

func TestRun(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	c := checkout(t, map[string]string{
		"packages/boat/vendir.yml":        inline(upstreamObjects),
		"packages/boat/config/schema.yml": badSchema,
		"packages/boat/config/kapp.yml":   badKapp,
	})
	versions, err := c.Select(nil)
	require.NoError(t, err)
	findings, err := Run(context.Background(), c, versions)
	require.NoError(t, err)
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	require.Equal(t, []string{
		`packages/boat/config/kapp.yml:8: boat: kapp ignores "name" in apiVersionKindMatcher, so the rule applies to every object of the kind; use kindNamespaceNameMatcher to match one object (kapp-matcher-name)`,
		`packages/boat/config/schema.yml:3: boat value namespace: the value has no description; add #@schema/desc above it (schema-description)`,
		`packages/boat/config/schema.yml:5: boat value captain: the value's default is empty and there is no example, so nobody sees its form; add #@schema/examples above it (schema-example)`,
		`boat@1.0.0 Config.kapp.k14s.io: rebaseRules[0] keeps data["sidecar"] of ConfigMap harbour/boat as first installed, so no value, overlay or upgrade changes it; let the rule name only the keys that the cluster writes, or take them out of the package (freeze-rebase)`,
		`upstream/boat/boat.yml:1: boat@1.0.0 ConfigMap harbour/boat: data.sidecar names the image "quay.io/example/sidecar:1", which is not locked; add it to images in package.yml and run "strake images lock boat@1.0.0", or replace it before kbld runs (unlocked-image)`,
		`upstream/boat/boat.yml:6: boat@1.0.0 Secret harbour/keys: the Secret ships with stringData["pin"], which is the same for everyone who has the package; ship it empty for a controller to fill, or let a value name a Secret of the user's (secret-with-data)`,
		`upstream/boat/boat.yml:11: boat@1.0.0 Pod harbour/boat: the container hull has no memory limit; give it one by a value with a default, or allow it in package.yml with the reason (container-memory)`,
		`upstream/boat/boat.yml:11: boat@1.0.0 Pod harbour/boat: the container hull may run as root, since nothing forbids it; set securityContext.runAsNonRoot to true by an overlay, or allow it in package.yml with the reason (container-root)`,
	}, lines)
}

func TestRunOnGoodPackage(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	c := checkout(t, map[string]string{
		"packages/boat/vendir.yml":        inline(goodPod),
		"packages/boat/config/schema.yml": "#@data/values-schema\n---\n#@schema/desc \"Where\"\nnamespace: harbour\n",
	})
	versions, err := c.Select([]string{"boat"})
	require.NoError(t, err)
	findings, err := Run(context.Background(), c, versions)
	require.NoError(t, err)
	require.Empty(t, findings)
}

func TestRunErrors(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	c := checkout(t, map[string]string{"packages/boat/vendir.yml": inline(upstreamObjects)})
	versions, err := c.Select(nil)
	require.NoError(t, err)
	_, err = Run(context.Background(), c, versions)
	require.ErrorContains(t, err, "linting boat 1.0.0: ")
	require.ErrorContains(t, err, filepath.Join("packages", "boat", "config"))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c = checkout(t, map[string]string{"packages/boat/vendir.yml": inline(upstreamObjects), "packages/boat/config/schema.yml": badSchema})
	_, err = Run(ctx, c, c.Packages[0].Versions)
	require.ErrorIs(t, err, context.Canceled)
}
