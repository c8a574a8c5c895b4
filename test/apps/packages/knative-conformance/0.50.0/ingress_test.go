// Package conformance runs Knative's conformance suites against what is installed on a
// cluster. test/knative_conformance_test.go compiles it and the suite of Serving's API.
package conformance

import (
	"testing"

	"knative.dev/networking/test/conformance/ingress"
)

// TestIngressConformance runs the suite of the ingress contract.
func TestIngressConformance(t *testing.T) { ingress.RunConformance(t) }
