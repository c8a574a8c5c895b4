package environment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckMetadata(t *testing.T) {
	long := strings.Repeat("x", 87)
	for name, test := range map[string]struct{ object, want string }{
		"fine":                {`{apiVersion: v1, kind: ConfigMap, metadata: {name: a.b, namespace: sea, labels: {a/b: c}}}`, ""},
		"name":                {`{apiVersion: v1, kind: ConfigMap, metadata: {name: Boat, namespace: sea}}`, `metadata.name: Invalid value: "Boat"`},
		"namespace":           {`{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, namespace: The Sea}}`, "metadata.namespace: Invalid value"},
		"label value":         {`{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, namespace: sea, labels: {released: ` + long + `}}}`, "metadata.labels: Invalid value"},
		"label key":           {`{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, labels: {a b: c}}}`, "metadata.labels: Invalid value"},
		"annotation key":      {`{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, annotations: {a b: c}}}`, "metadata.annotations: Invalid value"},
		"annotations too big": {`{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, annotations: {a: ` + strings.Repeat("x", 300_000) + `}}}`, "metadata.annotations: Too long"},
		"labels of pods":      {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: boat}, spec: {template: {metadata: {labels: {a: ` + long + `}}}}}`, "spec.template.metadata.labels: Invalid value"},
		"labels of a CronJob": {`{apiVersion: batch/v1, kind: CronJob, metadata: {name: boat}, spec: {jobTemplate: {spec: {template: {metadata: {labels: {a: "b c"}}}}}}}`, "spec.jobTemplate.spec.template.metadata.labels: Invalid value"},
		"role":                {`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "packages:boat", namespace: sea}}`, ""},
		"role with a slash":   {`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "packages/boat", namespace: sea}}`, "metadata.name: Invalid value"},
		"service":             {`{apiVersion: v1, kind: Service, metadata: {name: 1st, namespace: sea}}`, "metadata.name: Invalid value"},
		"namespace's name":    {`{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}`, "metadata.name: Invalid value"},
		"account":             {`{apiVersion: v1, kind: ServiceAccount, metadata: {name: a_b, namespace: sea}}`, "metadata.name: Invalid value"},
		"finalizer":           {`{apiVersion: v1, kind: ConfigMap, metadata: {name: boat, finalizers: [a b]}}`, "metadata.finalizers"},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			checkMetadata(objectsOf(t, test.object)[0], func(rule, _ string, args ...any) {
				require.Equal(t, RuleMetadata, rule)
				found = append(found, args[0].(string))
			})
			require.Equal(t, test.want != "", len(found) > 0, found)
			require.Contains(t, strings.Join(found, "\n"), test.want)
		})
	}
}
