package lint

import (
	"strings"
	"testing"
)

func TestDisorder(t *testing.T) {
	const (
		service = "apiVersion: v1\nkind: Service\nmetadata: {name: harbourmaster, namespace: harbour, annotations: {GROUP}}\nspec: {selector: {app: harbourmaster}}\n"
		pods    = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: harbourmaster, namespace: harbour, annotations: {GROUP}}\nspec: {template: {metadata: {labels: {app: harbourmaster}}}}\n"
		others  = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boats, namespace: harbour}\nspec: {template: {metadata: {labels: {app: boats}}}}\n"
		api     = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.boats, annotations: {RULES}}\nspec: {service: {namespace: harbour, name: harbourmaster}}\n"
		hook    = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: watch, annotations: {RULES}}\n" +
			"webhooks: [{name: a, POLICY rules: [{}], clientConfig: {service: {namespace: harbour, name: harbourmaster}}}]\n"
		group   = "kapp.k14s.io/change-group: harbour/servers"
		after   = "kapp.k14s.io/change-rule.a: upsert after upserting harbour/servers"
		before  = "kapp.k14s.io/change-rule.b: delete before deleting harbour/servers"
		circle  = "kapp.k14s.io/change-rule.c: upsert before upserting harbour/servers"
		applied = "kapp may apply it before Service harbour/harbourmaster, which serves it"
		deleted = "kapp may delete Service harbour/harbourmaster, which serves it, before it"
		pod     = "kapp may delete Deployment.apps harbour/harbourmaster, which serves it, before it"
	)
	for name, test := range map[string]struct {
		caller, rules, service, pods, want string
	}{
		"an API in order":         {api, after + ", " + before, group, group, ""},
		"an API applied too soon": {api, before, group, group, applied},
		"an API deleted too late": {api, after, group, group, deleted},
		"pods in no group":        {api, after + ", " + before, group, "", "kapp may apply it before Deployment.apps harbour/harbourmaster"},
		"a circle":                {api, after + ", " + circle, group, group, "kapp finds no order in which to apply the objects"},
		"a webhook in order":      {hook, before, group, group, ""},
		"a webhook left behind":   {hook, "", group, group, deleted},
		"its pods go first":       {hook, before, group, "", pod},
		"one that may be silent":  {strings.Replace(hook, "POLICY", "failurePolicy: Ignore, ", 1), "", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			caller := strings.NewReplacer("RULES", test.rules, "POLICY", "").Replace(test.caller)
			requireFinding(t, test.want, disorder(objects(t, caller, others,
				strings.Replace(service, "GROUP", test.service, 1), strings.Replace(pods, "GROUP", test.pods, 1))))
		})
	}
}

func TestUnawaited(t *testing.T) {
	const (
		certificate = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: seal, annotations: {kapp.k14s.io/change-group.seals: harbour/seals}}\n"
		config      = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seal, annotations: {kapp.k14s.io/change-group.seals: harbour/seals}}\n"
		after       = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat, annotations: {kapp.k14s.io/change-rule.seals: upsert after upserting harbour/seals}}\n"
		nobody      = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat, annotations: {kapp.k14s.io/change-rule.seals: delete after deleting harbour/seals}}\n"
		install     = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: seal, annotations: {kapp.k14s.io/change-group.seals: harbour/seals}}\n"
		rule        = "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nwaitRules: [{conditionMatchers: [{type: Ready, status: 'True', success: true}], resourceMatchers: [{apiVersionKindMatcher: {apiVersion: cert-manager.io/v1, kind: KIND}}]}]\n"
	)
	for name, test := range map[string]struct{ object, other, rule, want string }{
		"without a rule":             {certificate, after, strings.Replace(rule, "KIND", "Issuer", 1), "other objects are applied after harbour/seals, but kapp does not wait until this object of the group is ready"},
		"with a rule":                {certificate, after, strings.Replace(rule, "KIND", "Certificate", 1), ""},
		"nothing comes after it":     {certificate, nobody, rule, ""},
		"kapp knows when it is done": {install, after, rule, ""},
		"what is stored is there":    {config, after, rule, ""},
		"an order of what is stored": {config, nobody, rule, ""},
	} {
		t.Run(name, func(t *testing.T) {
			requireFinding(t, test.want, unawaited(objects(t, test.object, test.other, test.rule)))
		})
	}
}
