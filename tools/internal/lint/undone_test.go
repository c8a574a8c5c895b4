package lint

import "testing"

func TestUndone(t *testing.T) {
	const (
		secret     = "apiVersion: v1\nkind: Secret\nmetadata: {name: certificates, namespace: harbour}\n"
		webhooks   = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: watch}\nwebhooks: [{name: a, rules: [{resources: [boats]}]}, {name: b}]\n"
		deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat, namespace: harbour}\nspec: {replicas: 2}\n"
		uncounted  = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat, namespace: harbour}\nspec: {}\n"
		scaler     = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: wind, namespace: harbour}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: boat}}\n"
	)
	rule := func(path, sources, kind, name string) string {
		return "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nrebaseRules: [{path: " + path + ", type: copy, sources: " + sources +
			", resourceMatchers: [{kindNamespaceNameMatcher: {kind: " + kind + ", namespace: harbour, name: " + name + "}}]}]\n"
	}
	for name, test := range map[string]struct {
		objects []string
		want    string
	}{
		"a secret without data":      {[]string{secret}, "an update takes back its data, which a controller fills"},
		"kept":                       {[]string{secret, rule("[data]", "[existing]", "Secret", "certificates")}, ""},
		"another is kept":            {[]string{secret, rule("[data]", "[existing]", "Secret", "other")}, "its data"},
		"data that is empty":         {[]string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {}\n"}, ""},
		"data":                       {[]string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"}, ""},
		"a webhook without rules":    {[]string{webhooks}, "an update takes back the rules of the webhook b, which its controller writes"},
		"replicas":                   {[]string{deployment, scaler}, "its replicas, which the HorizontalPodAutoscaler wind sets"},
		"replicas left out":          {[]string{uncounted, scaler}, "its replicas"},
		"replicas kept":              {[]string{deployment, scaler, rule("[spec, replicas]", "[existing, new]", "Deployment", "boat")}, ""},
		"replicas left out and kept": {[]string{uncounted, scaler, rule("[spec, replicas]", "[existing]", "Deployment", "boat")}, ""},
		"the package's number first": {[]string{deployment, scaler, rule("[spec, replicas]", "[new, existing]", "Deployment", "boat")}, "its replicas"},
		"replicas of nobody else":    {[]string{deployment}, ""},
		"a rule nobody understands":  {[]string{deployment, scaler, "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\nrebaseRules: [{type: copy}]\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) { requireFinding(t, test.want, undone(objects(t, test.objects...))) })
	}
}
