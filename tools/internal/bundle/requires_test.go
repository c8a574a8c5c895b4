package bundle_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestRequires(t *testing.T) {
	v := newVersion(t, nil)
	v.Requires = []catalog.Requirement{
		{Package: "ingress", Constraint: ">=3.0.0", API: "ingress.example/v1", Reason: "to be reached\n"},
		{Package: "certs", Constraint: "<2.0.0", API: "certs.example/v1", Reason: "for \"mutual\" TLS"},
		{Package: "store", Constraint: ">=1.0.0", API: "store.example/v1", Optional: true, Reason: "to remember"},
	}
	b, err := bundle.Build(t.Context(), v, repo(), objects(t, upstream))
	require.NoError(t, err)

	t.Run("the install asks what the cluster serves", func(t *testing.T) {
		for _, test := range []struct{ name, values, want string }{
			{"nobody tells", "", ""},
			{"all is there", "strake: {apis: [v1, ingress.example/v1, certs.example/v1]}", ""},
			{"one is missing", "strake: {apis: [v1, certs.example/v1]}",
				"with ingress.example/v1, which ingress.strake.test >=3.0.0 serves; install that first (to be reached)"},
			{"the other is missing", "strake: {apis: [v1, ingress.example/v1]}", `with certs.example/v1, which certs.strake.test <2.0.0 serves; install that first (for "mutual" TLS)`},
		} {
			_, err := bundle.Render(t.Context(), b, text(test.values), bundle.RenderOptions{})
			if test.want == "" {
				require.NoError(t, err, test.name)
			} else {
				require.ErrorContains(t, err, test.want, test.name)
			}
		}
	})

	var cr struct {
		Metadata struct{ Annotations map[string]string }
		Spec     struct {
			CapacityRequirementsDescription string
			ValuesSchema                    struct {
				OpenAPIv3 struct{ Properties map[string]any }
			}
			Template struct {
				Spec struct{ Template []map[string]any }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(b.PackageCR, &cr))
	require.Equal(t, `little

Requires these packages on the cluster first:
- ingress.strake.test >=3.0.0: to be reached
- certs.strake.test <2.0.0: for "mutual" TLS

Uses these packages where its values say so:
- store.strake.test >=1.0.0: to remember
`, cr.Spec.CapacityRequirementsDescription)
	require.JSONEq(t, `[
		{"package": "ingress.strake.test", "constraint": ">=3.0.0", "reason": "to be reached"},
		{"package": "certs.strake.test", "constraint": "<2.0.0", "reason": "for \"mutual\" TLS"},
		{"package": "store.strake.test", "constraint": ">=1.0.0", "optional": true, "reason": "to remember"}
	]`, cr.Metadata.Annotations["strake.dev/requires"])
	require.NotContains(t, cr.Spec.ValuesSchema.OpenAPIv3.Properties, "strake", "it is no value for users")
	require.Equal(t, map[string]any{
		"paths":     []any{"config"},
		"fileMarks": []any{"upstream/crds.yml:type=yaml-plain", "upstream/objects.yml:type=yaml-plain"},
		"valuesFrom": []any{map[string]any{"downwardAPI": map[string]any{"items": []any{
			map[string]any{"name": "strake.apis", "kubernetesAPIs": map[string]any{}},
		}}}},
	}, cr.Spec.Template.Spec.Template[0]["ytt"])
}

// TestRequiresCondition: values decide whether the cluster must serve the API.
func TestRequiresCondition(t *testing.T) {
	v := newVersion(t, nil)
	v.Requires = []catalog.Requirement{{Package: "store", Constraint: ">=1.0.0", API: "store.example/v1", Optional: true, When: "values.replicas > 2", Reason: "to share"}}
	b, err := bundle.Build(t.Context(), v, repo(), objects(t, upstream))
	require.NoError(t, err)
	for _, test := range []struct{ values, want string }{
		{"replicas: 3", ""},
		{"{replicas: 2, strake: {apis: [v1]}}", ""},
		{"{replicas: 3, strake: {apis: [v1, store.example/v1]}}", ""},
		{"{replicas: 3, strake: {apis: [v1]}}", "The values require a cluster with store.example/v1, which store.strake.test >=1.0.0 serves; install that first (to share)"},
	} {
		_, err := bundle.Render(t.Context(), b, text(test.values), bundle.RenderOptions{})
		if test.want == "" {
			require.NoError(t, err, test.values)
		} else {
			require.ErrorContains(t, err, test.want, test.values)
		}
	}
	require.Contains(t, string(b.PackageCR), "strake.apis")
	require.Regexp(t, `"when":"values.replicas\s+> 2"`, string(b.PackageCR))

	holds, err := bundle.Holds(t.Context(), b, append(text("replicas: 3\n"), text("logLevel: debug\n")...), []string{"values.replicas > 2", `values.logLevel == "info"`, "values.logLevel"})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true}, holds)
	_, err = bundle.Holds(t.Context(), b, nil, []string{"values.replica"})
	require.ErrorContains(t, err, "reading the conditions of demo 1.0.0")
}

// TestRequiresOptionalAlone is nothing that an install can judge: values decide.
func TestRequiresOptionalAlone(t *testing.T) {
	v := newVersion(t, nil)
	without, err := bundle.Build(t.Context(), v, repo(), objects(t, upstream))
	require.NoError(t, err)
	v.Requires = []catalog.Requirement{{Package: "store", Constraint: ">=1.0.0", API: "store.example/v1", Optional: true, Reason: "to remember"}}
	with, err := bundle.Build(t.Context(), v, repo(), objects(t, upstream))
	require.NoError(t, err)
	require.Equal(t, without.Digest, with.Digest)
	require.Contains(t, string(with.PackageCR), "store.strake.test")
	require.NotContains(t, string(with.PackageCR), "downwardAPI")
}
