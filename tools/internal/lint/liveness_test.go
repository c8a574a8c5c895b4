package lint

import "testing"

func TestImpatientContainers(t *testing.T) {
	for name, test := range map[string]struct{ container, want string }{
		"none":         {"", ""},
		"patient":      {", livenessProbe: {timeoutSeconds: 5, periodSeconds: 20, failureThreshold: 3}", ""},
		"defaults":     {", livenessProbe: {httpGet: {port: 80}}", "waits 1 s for a response and restarts the container after 30 s without one"},
		"short answer": {", livenessProbe: {timeoutSeconds: 4, failureThreshold: 6}", "waits 4 s for a response and restarts the container after 60 s"},
		"short in all": {", livenessProbe: {timeoutSeconds: 5, periodSeconds: 3, failureThreshold: 5}", "waits 5 s for a response and restarts the container after 15 s"},
		"readiness":    {", readinessProbe: {httpGet: {port: 80}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			findings := impatientContainers(toList(object(t, workload("", test.container))))
			requireBoatFinding(t, findings, "the liveness probe of the container hull ", test.want)
		})
	}
}
