package environment_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkout is the project's own catalog.
func checkout(t *testing.T) *catalog.Catalog {
	t.Helper()
	root, err := catalog.FindRoot(".")
	require.NoError(t, err)
	c, err := catalog.Load(root)
	require.NoError(t, err)
	return c
}

func rendered(t *testing.T, c *catalog.Catalog, name string) []environment.Package {
	t.Helper()
	e, err := c.Environment(name)
	require.NoError(t, err)
	packages, err := environment.Render(t.Context(), c, e)
	require.NoError(t, err)
	return packages
}

// TestEnvironmentsInstallEverything: each environment has all packages that the
// platform offers, and the platform comes first.
func TestEnvironmentsInstallEverything(t *testing.T) {
	c := checkout(t)
	platform, err := c.Platform()
	require.NoError(t, err)
	names, err := c.Environments()
	require.NoError(t, err)
	for _, name := range names {
		packages := rendered(t, c, name)
		require.Equal(t, platform, packages[0].Version)
		var versions []*catalog.Version
		for _, p := range packages[1:] {
			versions = append(versions, p.Version)
		}
		require.Equal(t, platform.Installed(), versions, name)
	}
}

// TestDevelopmentFits: all of the development environment asks for little beside
// the control plane, on a node of two cores and 8 GiB.
func TestDevelopmentFits(t *testing.T) {
	cpu, memory := requests(t, rendered(t, checkout(t), "dev"))
	require.LessOrEqual(t, cpu, int64(600), "thousandths of a core")
	require.LessOrEqual(t, memory, int64(2048), "MiB")
}

// TestProductionIsHighlyAvailable: no Deployment or StatefulSet has a single pod,
// but for what its package cannot run twice, and each of the others has a
// PodDisruptionBudget, a PriorityClass and pods that spread.
func TestProductionIsHighlyAvailable(t *testing.T) {
	// Flux's source-controller keeps artifacts in its own volume; Knative's source of
	// times is started when somebody asks for it.
	alone := map[string]bool{"source-controller": true, "pingsource-mt-adapter": true}
	for _, name := range []string{"prod", "staging", "airgapped"} {
		for _, p := range rendered(t, checkout(t), name) {
			for _, o := range p.Objects {
				if o.GetKind() != "Deployment" && o.GetKind() != "StatefulSet" || alone[o.GetName()] {
					continue
				}
				at := name + " " + o.ID()
				require.GreaterOrEqual(t, pods(t, p.Objects, o), int64(2), at)
				require.True(t, hasBudget(t, p.Objects, o), "%s has no PodDisruptionBudget", at)
				spec := podSpec(t, o)
				require.NotEmpty(t, spec["priorityClassName"], at)
				_, spread := spec["topologySpreadConstraints"]
				_, affinity := spec["affinity"]
				require.True(t, spread || affinity, "%s does not spread", at)
			}
		}
	}
}

// TestNamespacesEnforceRestricted, and pods of them are not what it forbids.
func TestNamespacesEnforceRestricted(t *testing.T) {
	for _, name := range []string{"prod", "staging", "airgapped"} {
		packages, enforced := rendered(t, checkout(t), name), 0
		for _, o := range packages[0].Objects { // the platform makes all namespaces
			if o.GetKind() == "Namespace" && o.GetLabels()["pod-security.kubernetes.io/enforce"] == "restricted" {
				enforced++
			}
		}
		require.Equal(t, len(packages)-1, enforced, name)
		for _, p := range packages[1:] {
			for _, o := range p.Objects {
				require.NotEqual(t, "Namespace", o.GetKind(), p.Name())
				if _, found, _ := unstructured.NestedMap(o.Object, "spec", "template", "spec"); found && o.GroupVersionKind().Group == "apps" {
					requireRestricted(t, name+" "+o.ID(), podSpec(t, o))
				}
			}
		}
	}
}

// TestAirgappedAsksOneRegistry: nothing that a program reads names a host
// outside, and no image comes from anywhere else.
func TestAirgappedAsksOneRegistry(t *testing.T) {
	c := checkout(t)
	e, err := c.Environment("airgapped")
	require.NoError(t, err)
	for _, p := range rendered(t, c, "airgapped") {
		for _, o := range p.Objects {
			// The prose of CRDs may point to documentation.
			if o.GetKind() == "CustomResourceDefinition" {
				continue
			}
			manifest.EachText(o.Object, func(text string) {
				for _, host := range hosts(text) {
					require.True(t, inside(host), "%s names %s in %q", o.ID(), host, text)
				}
			})
			if o.GroupVersionKind().Group == "apps" {
				for _, image := range images(podSpec(t, o)) {
					require.True(t, strings.HasPrefix(image, e.Registry+"@sha256:"), "%s has the image %s", o.ID(), image)
				}
				require.NotEmpty(t, podSpec(t, o)["imagePullSecrets"], o.ID())
			}
		}
	}
}

func podSpec(t *testing.T, o manifest.Object) map[string]any {
	t.Helper()
	spec, found, err := unstructured.NestedMap(o.Object, "spec", "template", "spec")
	require.NoError(t, err)
	require.True(t, found, o.ID())
	return spec
}

// TestEnvironmentsAreValid: nothing is to be said of the environments, and what
// is broken in one is told by name.
func TestEnvironmentsAreValid(t *testing.T) {
	c := checkout(t)
	names, err := c.Environments()
	require.NoError(t, err)
	server := newServer(t)
	report := func(e *catalog.Environment) *environment.Report {
		checked, err := environment.Check(t.Context(), c, e, newAPI(t), server)
		require.NoError(t, err)
		return checked
	}
	check := func(e *catalog.Environment) []environment.Finding { return report(e).Findings }
	for _, name := range names {
		e, err := c.Environment(name)
		require.NoError(t, err)
		checked := report(e)
		require.Empty(t, checked.Findings, name)
		require.Positive(t, checked.Packages)
		require.Greater(t, checked.Objects, checked.Packages)
	}
	e, err := c.Environment("staging")
	require.NoError(t, err)
	own := e.Sources
	lay := func(keda map[string]any) { e.Sources = append(slices.Clone(own), source(t, keda)) }
	const nothing = "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.subset({\"kind\": \"Submarine\"})\n---\nmetadata: {}\n"
	lay(map[string]any{"overlays": map[string]any{"nothing.yml": nothing}})
	findings := check(e)
	require.Len(t, findings, 1)
	require.Equal(t, []string{"keda", environment.RuleRender}, []string{findings[0].Package, findings[0].Rule})
	require.Contains(t, findings[0].Message, "more.yml:7: overlay matches no object: #@overlay/match by=overlay.subset({\"kind\": \"Submarine\"})")

	const another = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: raft, namespace: elsewhere}\n"
	overlays := map[string]any{"another.yml": another}
	lay(map[string]any{"overlays": overlays})
	findings = check(e)
	require.NotEmpty(t, findings)
	for _, f := range findings {
		require.Equal(t, []string{"keda", environment.RuleMissingRight}, []string{f.Package, f.Rule})
		require.Regexp(t, `^the account keda-installer may not .* in the namespace elsewhere, .*packages\.keda\.rights in config/staging/values\.yml`, f.Message)
	}
	require.Equal(t, "configmaps elsewhere/raft", findings[len(findings)-1].Object)
	rights := []any{map[string]any{"namespace": "elsewhere", "rules": []any{
		map[string]any{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": []any{"create", "delete", "get", "list", "update"}},
	}}}
	lay(map[string]any{"overlays": overlays, "rights": rights})
	require.Empty(t, check(e), "the rights are given now")

	lay(map[string]any{"values": map[string]any{"operator": map[string]any{"replica": 2}}})
	findings = check(e)
	require.Len(t, findings, 1)
	require.Equal(t, "platform", findings[0].Package)
	require.Contains(t, findings[0].Message, "replica")
}

// source is a file of values for KEDA.
func source(t *testing.T, keda map[string]any) catalog.Source {
	t.Helper()
	text, err := yaml.Marshal(map[string]any{"packages": map[string]any{"keda": keda}})
	require.NoError(t, err)
	return catalog.Source{Name: "more.yml", Data: text}
}
