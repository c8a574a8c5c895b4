package lint

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strake-dev/strake/tools/internal/cache"
)

func TestUnknownKinds(t *testing.T) {
	const (
		crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.sea.test}\n" +
			"spec: {group: sea.test, names: {kind: Boat}, versions: [{name: v1, served: true, storage: true}, {name: v1alpha1, served: false}]}\n"
		api = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.tide.test}\nspec: {group: tide.test, version: v1}\n"
	)
	sail := kinds{schema.GroupKind{Group: "cloth.test", Kind: "Sail"}: {"v1"}}
	of := func(apiVersion, kind string) string {
		return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: a}\n"
	}
	for name, test := range map[string]struct {
		object string
		want   string // with the defaults
		always bool   // and with other values
	}{
		"Kubernetes' own":              {of("apps/v1", "Deployment"), "", false},
		"the core's":                   {of("v1", "ConfigMap"), "", false},
		"a definition":                 {crd, "", false},
		"an aggregated API":            {api, "", false},
		"of an aggregated API":         {of("tide.test/v1", "Ebb"), "", false},
		"kapp's Config":                {of("kapp.k14s.io/v1alpha1", "Config"), "", false},
		"the package's own":            {of("sea.test/v1", "Boat"), "", false},
		"of a required package":        {of("cloth.test/v1", "Sail"), "", false},
		"a misspelt kind":              {of("apps/v1", "Deploymint"), "no API serves apps/v1 Deploymint", true},
		"a misspelt version":           {of("apps/v11", "Deployment"), "no API serves apps/v11 Deployment", true},
		"a misspelt group":             {of("app/v1", "Deployment"), "no API serves app/v1 Deployment", false},
		"the wrong group":              {of("extensions/v1", "Deployment"), "no API serves extensions/v1 Deployment", true},
		"a version that is not served": {of("sea.test/v1alpha1", "Boat"), "Boat.sea.test is not served in the version v1alpha1, only in v1", true},
		"another kind of the group":    {of("sea.test/v1", "Ship"), "no API serves sea.test/v1 Ship", true},
		"of nobody":                    {of("monitoring.test/v1", "Monitor"), "no API serves monitoring.test/v1 Monitor: it is not Kubernetes' own, and no CRD", false},
	} {
		t.Run(name, func(t *testing.T) {
			all := objects(t, crd, api, test.object)
			requireFinding(t, test.want, unknownKinds(all, sail))
			require.Equal(t, test.always, len(unknownKinds(all, nil)) > 0, "with other values")
		})
	}
}

// TestRunKnowsKindsOfOthers: what a required package defines is known, and what no
// package does is a finding.
func TestRunKnowsKindsOfOthers(t *testing.T) {
	t.Setenv(cache.EnvDir, t.TempDir())
	const sails = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: sails.cloth.test}\nspec:\n  group: cloth.test\n  scope: Cluster\n" +
		"  names: {kind: Sail, plural: sails, singular: sail, listKind: SailList}\n  conversion: {strategy: None}\n" +
		"  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"
	schema := "#@data/values-schema\n---\n#@schema/desc \"Where\"\nnamespace: harbour\n"
	boat := goodPod + "---\napiVersion: cloth.test/v1\nkind: Sail\nmetadata: {name: main}\n---\napiVersion: wind.test/v1\nkind: Gust\nmetadata: {name: north}\n"
	loft := strings.NewReplacer("boat", "loft", "Boat", "Loft", "images: [{name: hull, reference: ghcr.io/example/hull}]\n", "").Replace(boatPackage)
	c := checkout(t, map[string]string{
		"packages/boat/vendir.yml":        inline(boat),
		"packages/boat/config/schema.yml": schema,
		"packages/boat/1.0.0/version.yml": boatVersion + "requires: [{package: loft, constraint: \">=1.0.0\", optional: true, reason: it makes sails}]\n",
		"packages/loft/package.yml":       loft,
		"packages/loft/vendir.yml":        strings.ReplaceAll(inline(sails), "boat", "loft"),
		"packages/loft/config/schema.yml": schema,
		"packages/loft/1.0.0/version.yml": boatVersion,
	})
	versions, err := c.Select([]string{"boat"})
	require.NoError(t, err)
	findings, err := Run(context.Background(), c, versions)
	require.NoError(t, err)
	require.Len(t, findings, 1)
	require.Equal(t, "unknown-kind", findings[0].Rule)
	require.Contains(t, findings[0].String(), "boat@1.0.0 Gust.wind.test north: no API serves wind.test/v1 Gust")
}
