package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

func crd(t *testing.T, name string, versions ...string) manifest.Object {
	t.Helper()
	lines := []string{"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + name + "}\nspec:\n  versions:"}
	for _, version := range versions {
		name, stored := strings.CutSuffix(version, "*")
		lines = append(lines, fmt.Sprintf("  - {name: %s, served: true, storage: %t}", name, stored))
	}
	return object(t, strings.Join(lines, "\n")+"\n")
}

func TestDroppedVersions(t *testing.T) {
	before := toList(crd(t, "boats.example.com", "v1alpha1*", "v1"), crd(t, "sails.example.com", "v1*"))
	for name, test := range map[string]struct {
		after []manifest.Object
		want  []string
	}{
		"kept":          {toList(crd(t, "boats.example.com", "v1alpha1", "v1*"), crd(t, "sails.example.com", "v1*", "v2")), nil},
		"not stored":    {toList(crd(t, "boats.example.com", "v1alpha1*"), crd(t, "sails.example.com", "v1*")), nil},
		"stored":        {toList(crd(t, "boats.example.com", "v1*"), crd(t, "sails.example.com", "v1*")), []string{"1.0.0 stores objects as v1alpha1, which is not among this version's v1, so the API server refuses the upgrade where there are any"}},
		"the whole CRD": {toList(crd(t, "boats.example.com", "v1alpha1*")), []string{"1.0.0 has this CRD and this version does not, so an upgrade deletes all objects of it"}},
	} {
		require.Equal(t, test.want, messages(droppedVersions("1.0.0", before, test.after)), name)
	}
}

func TestUpgradePath(t *testing.T) {
	boat := func(version, from string) *subject {
		return &subject{version: &catalog.Version{Version: version, UpgradesFrom: from}, versionFile: "packages/boat/" + version + "/version.yml"}
	}
	first, second := boat("1.0.0", ""), boat("1.1.0", ">=1.0.0")
	second.older = []*subject{first}
	require.Empty(t, checkUpgradePath(first), "nothing is older")
	require.Empty(t, checkUpgradePath(second))
	for from, want := range map[string]string{
		"":               "upgradesFrom does not include 1.1.0, the version before it",
		">=1.2.0":        `1.1.0 is the version before it, and upgradesFrom (">=1.2.0") does not admit that`,
		">=1.0.0 <1.1.0": "does not admit that",
	} {
		third := boat("1.3.0", from)
		third.older = []*subject{first, second}
		findings := checkUpgradePath(third)
		require.Len(t, findings, 1, from)
		require.Contains(t, findings[0].Message, want)
		require.Equal(t, "packages/boat/1.3.0/version.yml", findings[0].File)
	}
}

// crdOverlay is a CRD whose only version is called after the package's.
const crdOverlay = `#@ load("/package.star", "version")
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.com, annotations: {kapp.k14s.io/disable-original: ""}}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Boat, listKind: BoatList, plural: boats, singular: boat}
  conversion: {strategy: None}
  versions:
  - name: #@ "v" + version.split(".")[1]
    served: true
    storage: true
`

// fleet has the versions 1.0.0 and 1.1.0 of the boat, whose CRD has no version
// in common, and no limit of memory.
func fleet(t *testing.T, inPackage, inVersion string) *catalog.Catalog {
	t.Helper()
	t.Setenv(cache.EnvDir, t.TempDir())
	return checkout(t, map[string]string{
		"packages/boat/vendir.yml":            inline(strings.Replace(goodPod, "memory: 1Gi", "cpu: 1", 1)),
		"packages/boat/config/schema.yml":     "#@data/values-schema\n---\n#@schema/desc \"How many\"\nboats: 1\n",
		"packages/boat/config/crd.yml":        crdOverlay,
		"packages/boat/package.yml":           boatPackage + inPackage,
		"packages/boat/1.1.0/version.yml":     strings.ReplaceAll(boatVersion, "1.0.0", "1.1.0") + inVersion,
		"packages/boat/1.1.0/images.lock.yml": boatLock,
		"packages/boat/permissions/pod.yml":   "reason: The boat is a pod in a namespace of others.\n",
	})
}

func lintLines(t *testing.T, c *catalog.Catalog, args ...string) (lines []string) {
	t.Helper()
	versions, err := c.Select(args)
	require.NoError(t, err)
	findings, err := Run(t.Context(), c, versions)
	require.NoError(t, err)
	for _, f := range findings {
		lines = append(lines, f.Package+"@"+f.Version+" "+f.Object+" ("+f.Rule+")")
	}
	return lines
}

func TestRunComparesVersions(t *testing.T) {
	want := []string{
		"boat@1.1.0 CustomResourceDefinition.apiextensions.k8s.io boats.example.com (crd-version-dropped)",
		"boat@1.1.0  (upgrade-path)",
		"boat@1.1.0 Pod harbour/boat (container-memory)",
	}
	c := fleet(t, "", "")
	require.Equal(t, append([]string{"boat@1.0.0 Pod harbour/boat (container-memory)"}, want...), lintLines(t, c))
	require.Equal(t, want, lintLines(t, c, "boat@1.1.0"), "older versions are compared with, whether they are judged or not")
}

func TestExceptions(t *testing.T) {
	allow := func(rule, object string) string {
		return "  - {rule: " + rule + ", object: \"" + object + "\", reason: it must be}\n"
	}
	const head = "lint:\n  allow:\n"
	dropped := allow("crd-version-dropped", "CustomResourceDefinition.* boats.example.com")

	c := fleet(t, head+allow("container-memory", "Pod harbour/*"), "upgradesFrom: \">=1.0.0\"\n"+head+dropped)
	require.Empty(t, lintLines(t, c))

	c = fleet(t, head+allow("container-memory", "Pod harbour/*")+allow("container-root", "Pod harbour/boat"), "upgradesFrom: \">=1.0.0\"\n"+head+dropped+allow("into-ns", "*"))
	require.Equal(t, []string{"boat@ Pod harbour/boat (unused-exception)", "boat@1.1.0 * (unused-exception)"}, lintLines(t, c))
	require.Equal(t, []string{"boat@1.1.0 * (unused-exception)"}, lintLines(t, c, "boat@1.1.0"), "a package's exceptions may be of use to versions that are not judged")

	c = fleet(t, head+allow("container-memory", "Pod harbour/bo")+dropped, "upgradesFrom: \">=1.0.0\"\n")
	require.Equal(t, []string{"boat@ Pod harbour/bo (unused-exception)", "boat@1.0.0 Pod harbour/boat (container-memory)", "boat@1.1.0 Pod harbour/boat (container-memory)"}, lintLines(t, c))
}
