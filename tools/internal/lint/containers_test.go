package lint

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// workload is a Deployment whose pod and container have these fields.
func workload(pod, container string) string {
	return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat, namespace: harbour}\n"+
		"spec: {template: {spec: {%s containers: [{name: hull%s}]}}}\n", pod, container)
}

// requireBoatFinding wants one finding on [workload]'s Deployment that says what is
// wrong with its part, or none where nothing is wanted.
func requireBoatFinding(t *testing.T, findings []Finding, part, want string) {
	t.Helper()
	if want == "" {
		require.Empty(t, findings)
		return
	}
	require.Len(t, findings, 1)
	require.Equal(t, "Deployment.apps harbour/boat", findings[0].Object)
	require.Contains(t, findings[0].Message, part+want)
}

func TestRootContainers(t *testing.T) {
	for name, test := range map[string]struct{ pod, container, want string }{
		"nothing is said":         {"", "", "may run as root, since nothing forbids it"},
		"non-root container":      {"", ", securityContext: {runAsNonRoot: true}", ""},
		"non-root pod":            {"securityContext: {runAsNonRoot: true},", "", ""},
		"a user of its own":       {"", ", securityContext: {runAsUser: 1000}", ""},
		"root":                    {"securityContext: {runAsNonRoot: true},", ", securityContext: {runAsUser: 0}", "runs as root"},
		"the container overrides": {"securityContext: {runAsNonRoot: true},", ", securityContext: {runAsNonRoot: false}", "may run as root"},
		"privileged":              {"securityContext: {runAsUser: 1000},", ", securityContext: {privileged: true}", "is privileged"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := rootContainers(toList(object(t, workload(test.pod, test.container))))
			requireBoatFinding(t, findings, "the container hull ", test.want)
		})
	}
}

func TestUnlimitedContainers(t *testing.T) {
	limited := workload("", ", resources: {limits: {memory: 1Gi}}")
	require.Empty(t, unlimitedContainers(toList(object(t, limited))))
	for name, text := range map[string]string{
		"no resources": workload("", ""),
		"requests":     workload("", ", resources: {requests: {memory: 1Gi}}"),
		"CPU":          workload("", ", resources: {limits: {cpu: 1}}"),
		"init":         workload("initContainers: [{name: hull}],", ", resources: {limits: {memory: 1Gi}}"),
		"CronJob":      "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: boat}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: hull}]}}}}}\n",
		"Pod":          "apiVersion: v1\nkind: Pod\nmetadata: {name: boat}\nspec: {containers: [{name: hull}]}\n",
	} {
		require.Equal(t, []string{"the container hull has no memory limit"}, messages(unlimitedContainers(toList(object(t, text)))), name)
	}
	require.Empty(t, unlimitedContainers(toList(object(t, "apiVersion: example.com/v1\nkind: Deployment\nmetadata: {name: boat}\nspec: {template: {spec: {containers: [{name: hull}]}}}\n"))))
}
