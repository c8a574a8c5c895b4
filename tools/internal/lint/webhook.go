package lint

import (
	kappmisc "carvel.dev/kapp/pkg/kapp/resourcesmisc"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkWebhooks refuses webhooks into which a program writes its CA while kapp does
// not wait for that: the install is done as soon as the program's pods are ready, and
// what users create in the next moments is refused, or passes unchecked where the
// failure policy is Ignore. KEDA's operator writes it seconds later.
func checkWebhooks(s *subject) []Finding { return untrusted(s.final) }

func untrusted(objects []manifest.Object) []Finding {
	config, err := kappConfig(objects)
	if err != nil {
		return nil // freeze-rebase tells
	}
	var findings []Finding
	for _, o := range objects {
		if lacksCA(o) && kappmisc.NewCustomWaitingResource(asResource(o), config.WaitRules()) == nil {
			findings = append(findings, at(o, "the install finishes before the API server trusts the webhooks: they have no CA bundle yet, and kapp does not wait for it",
				"add ca_written of packages/_common/kapp.lib.yml to the waitRules of config/kapp.yml"))
		}
	}
	return findings
}

// lacksCA tells whether an object configures webhooks of which one has no CA. Both
// kinds of configuration have the same fields here.
func lacksCA(o manifest.Object) bool {
	if o.GroupVersionKind().Group != admissionv1.GroupName {
		return false
	}
	var configuration admissionv1.ValidatingWebhookConfiguration
	if runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &configuration) != nil {
		return false // validation tells
	}
	for _, webhook := range configuration.Webhooks {
		if len(webhook.ClientConfig.CABundle) == 0 {
			return true
		}
	}
	return false
}
