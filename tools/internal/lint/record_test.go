package lint

import (
	"strings"
	"testing"
)

func TestUnrecorded(t *testing.T) {
	crd := func(size int, spec string) string {
		return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.example.com, annotations: {a: b}}\n" +
			"spec:\n  group: example.com\n  scope: Namespaced\n" + spec + "\n  versions:\n  - name: v1\n    served: true\n    storage: true\n" +
			"    schema: {openAPIV3Schema: {type: object, properties: {hull: {type: integer, minimum: 1, description: " + strings.Repeat("x", size) + "}}}}\n"
	}
	const (
		large  = 262144
		names  = "  names: {kind: Boat, listKind: BoatList, plural: boats, singular: boat}\n"
		terse  = "  names: {kind: Boat, plural: boats}\n"
		said   = "  conversion: {strategy: None}"
		caught = "  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {namespace: harbour, name: pilot, port: 443}}}}"
	)
	unrecordedByChoice := strings.NewReplacer("a: b", `kapp.k14s.io/disable-original: ""`)
	quota := func(pods string) string {
		return "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: boats, namespace: harbour, annotations: {kapp.k14s.io/disable-original: ''}}\nspec: {hard: {pods: '" + pods + "'}}\n"
	}
	rule := "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nrebaseRules: [{path: [spec, conversion], type: copy, sources: [existing], resourceMatchers: [{allMatcher: {}}]}]\n"
	for name, test := range map[string]struct {
		objects []string
		want    string
	}{
		"a default left out":            {[]string{crd(large, names)}, "other values of /spec/conversion"},
		"a name left out":               {[]string{crd(large, terse+said)}, "other values of /spec/names/listKind, /spec/names/singular"},
		"what the server drops":         {[]string{crd(large, names+"  preserveUnknownFields: false\n"+said)}, "other values of /spec/preserveUnknownFields"},
		"all of it said":                {[]string{crd(large, names+said)}, ""},
		"a webhook's port":              {[]string{crd(large, names+strings.Replace(caught, ", port: 443", "", 1))}, "other values of /spec/conversion/webhook/clientConfig/service/port"},
		"the webhook's port said":       {[]string{crd(large, names+caught)}, ""},
		"no record by choice":           {[]string{unrecordedByChoice.Replace(crd(1000, terse+said))}, "other values of /spec/names/listKind, /spec/names/singular"},
		"no record, and all of it said": {[]string{unrecordedByChoice.Replace(crd(1000, names+said))}, ""},
		"a quantity of one's own":       {[]string{quota("1000")}, "other values of /spec/hard/pods"},
		"a quantity as it is written":   {[]string{quota("1k")}, ""},
		"one with a record":             {[]string{strings.Replace(quota("1000"), "disable-original", "other", 1)}, ""},
		"small enough":                  {[]string{crd(1000, terse)}, ""},
		"kept by a rule":                {[]string{crd(large, names), rule}, ""},
		"what no API server takes":      {[]string{strings.Replace(crd(1, names), "served: true", "served: often", 1)}, "the API server refuses it: reading it as a CustomResourceDefinition"},
		"another kind, however large":   {[]string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: " + strings.Repeat("x", large) + "}\n"}, ""},
		"a rule nobody understands":     {[]string{crd(large, names), "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nrebaseRules: [{type: copy}]\n"}, ""},
		"another group's kind of CRDs":  {[]string{strings.Replace(crd(large, terse), "apiextensions.k8s.io", "example.com", 1)}, ""},
	} {
		t.Run(name, func(t *testing.T) { requireFinding(t, test.want, unrecorded(objects(t, test.objects...))) })
	}
}
