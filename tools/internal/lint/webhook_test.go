package lint

import (
	"strings"
	"testing"
)

func TestUntrusted(t *testing.T) {
	const (
		hook = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: watch}\n" +
			"webhooks: [{name: one.harbour, clientConfig: {caBundle: Y2E=, service: {name: watch, namespace: harbour}}}, {name: two.harbour, clientConfig: {CA}}]\n"
		rule = "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nwaitRules: [{ytt: {funcContractV1: {resource.star: ''}}, resourceMatchers: [{apiVersionKindMatcher: {apiVersion: admissionregistration.k8s.io/v1, kind: KIND}}]}]\n"
		none = "the install finishes before the API server trusts the webhooks"
	)
	for name, test := range map[string]struct{ ca, kind, want string }{
		"nobody waits":       {"", "MutatingWebhookConfiguration", none},
		"an empty CA":        {`caBundle: ""`, "MutatingWebhookConfiguration", none},
		"kapp waits":         {"", "ValidatingWebhookConfiguration", ""},
		"the CA is in each":  {"caBundle: Y2E=", "MutatingWebhookConfiguration", ""},
		"a CA that is no CA": {"caBundle: 1", "MutatingWebhookConfiguration", ""},
	} {
		t.Run(name, func(t *testing.T) {
			requireFinding(t, test.want, untrusted(objects(t, strings.Replace(hook, "{CA}", "{"+test.ca+"}", 1), strings.Replace(rule, "KIND", test.kind, 1))))
		})
	}
}
