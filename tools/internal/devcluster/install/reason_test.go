package install

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReason(t *testing.T) {
	for name, test := range map[string]struct{ message, want string }{
		"ready":    {"", ""},
		"one line": {"Reconciling", "Reconciling"},
		"the API server refuses": {
			"kapp: Error: create deployment/a (apps/v1) namespace: b: Creating resource deployment/a (apps/v1) namespace: b: API server says: deployments.apps is forbidden (reason: Forbidden)\n",
			"create deployment/a (apps/v1) namespace: b: deployments.apps is forbidden (reason: Forbidden)"},
		"a pod does not start": {
			"kapp: Error: waiting on reconcile deployment/a (apps/v1) namespace: b:\n  Finished unsuccessfully (Deployment is not progressing: ProgressDeadlineExceeded (message: ReplicaSet \"a-1\" has timed out progressing.))",
			"Finished unsuccessfully (Deployment is not progressing: ProgressDeadlineExceeded (message: ReplicaSet \"a-1\" has timed out progressing.))"},
		"a value is refused": {
			"ytt: Error: Validating final data values:\n  operator.replicas\n    from: values.yml:3\n    - must be: a value less than or equal to 10\n        found: 11\n",
			"operator.replicas must be: a value less than or equal to 10"},
		"a long one": {strings.Repeat("x", 600), strings.Repeat("x", 199) + "…"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, Reason(test.message)) })
	}
}
