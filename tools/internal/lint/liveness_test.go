package lint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImpatientContainers(t *testing.T) {
	for name, test := range map[string]struct{ container, want string }{
		"none":         {"", ""},
		"patient":      {", livenessProbe: {timeoutSeconds: 5, periodSeconds: 20, failureThreshold: 3}", ""},
		"defaults":     {", livenessProbe: {httpGet: {port: 80}}", "waits 1 s for an answer and ends the container after 30 s without one"},
		"short answer": {", livenessProbe: {timeoutSeconds: 4, failureThreshold: 6}", "waits 4 s for an answer and ends the container after 60 s"},
		"short in all": {", livenessProbe: {timeoutSeconds: 5, periodSeconds: 3, failureThreshold: 5}", "waits 5 s for an answer and ends the container after 15 s"},
		"readiness":    {", readinessProbe: {httpGet: {port: 80}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			findings := impatientContainers(toList(object(t, workload("", test.container))))
			if test.want == "" {
				require.Empty(t, findings)
				return
			}
			require.Len(t, findings, 1)
			require.Equal(t, "Deployment.apps harbour/boat", findings[0].Object)
			require.Contains(t, findings[0].Message, "the liveness probe of the container hull "+test.want)
		})
	}
}
