package lint

import "testing"

func TestMissingServices(t *testing.T) {
	const (
		here      = "apiVersion: v1\nkind: Service\nmetadata: {name: harbourmaster, namespace: harbour}\n"
		elsewhere = "apiVersion: v1\nkind: Service\nmetadata: {name: harbourmaster, namespace: replaceme}\n"
		crd       = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats}\n" +
			"spec: {conversion: {strategy: Webhook, webhook: {clientConfig: {service: {namespace: harbour, name: harbourmaster, port: 443}}}}}\n"
		webhooks = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: watch}\n" +
			"webhooks: [{name: outside, clientConfig: {url: 'https://example.com'}}, {name: inside, clientConfig: {service: {namespace: harbour, name: harbourmaster}}}]\n"
		api   = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.boats}\nspec: {service: {namespace: harbour, name: harbourmaster}}\n"
		local = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.local}\nspec: {group: local}\n"
	)
	for name, test := range map[string]struct {
		caller, service, want string
	}{
		"conversion":              {crd, elsewhere, "spec.conversion.webhook.clientConfig.service names the Service harbour/harbourmaster, which is not in the package"},
		"conversion that is":      {crd, here, ""},
		"no conversion":           {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats}\nspec: {}\n", here, ""},
		"webhook":                 {webhooks, elsewhere, "webhooks[1].clientConfig.service names the Service harbour/harbourmaster"},
		"webhook that is":         {webhooks, here, ""},
		"aggregated API":          {api, elsewhere, "spec.service names the Service harbour/harbourmaster"},
		"aggregated API that is":  {api, here, ""},
		"the API server's own":    {local, here, ""},
		"an object of other kind": {elsewhere, here, ""},
	} {
		t.Run(name, func(t *testing.T) {
			requireFinding(t, test.want, missingServices(objects(t, test.caller, test.service)))
		})
	}
}

func TestMissingRoles(t *testing.T) {
	const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: sailor, namespace: harbour}\n"
	binding := func(namespace, kind, name string) string {
		return "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: crew, namespace: " + namespace + "}\nroleRef: {kind: " + kind + ", name: " + name + "}\n"
	}
	const reader = "extension-apiserver-authentication-reader"
	for name, test := range map[string]struct{ binding, want string }{
		"its own":                    {binding("harbour", "Role", "sailor"), ""},
		"in another namespace":       {binding("town", "Role", "sailor"), "it grants the Role town/sailor, which neither the package nor the API server creates"},
		"of no name":                 {binding("harbour", "Role", "captain"), "harbour/captain"},
		"the API server's":           {binding("kube-system", "Role", reader), ""},
		"the API server's, moved":    {binding("harbour", "Role", reader), "harbour/" + reader},
		"of the cluster, not judged": {binding("harbour", "ClusterRole", "view"), ""},
	} {
		t.Run(name, func(t *testing.T) { requireFinding(t, test.want, missingRoles(objects(t, role, test.binding))) })
	}
}
